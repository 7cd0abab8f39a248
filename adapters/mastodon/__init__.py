"""Mastodon: posts and threads (``adapter``), one server as it is called (``server``), its texts (``text``),
the guided login (``login``).
"""
