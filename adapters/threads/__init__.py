"""Threads: posts and chains (``adapter``), limits and codes (``rules``), figures (``figures``), the guided
login (``login``). The Graph API and the walk of a container are in ``adapters.meta``.
"""
