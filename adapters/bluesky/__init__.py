"""Bluesky: posts and threads (``adapter``), what is written into the repository (``record``), the server
and its sessions (``server``), the guided login (``login``).
"""
