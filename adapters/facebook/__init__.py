"""Facebook Pages: posts (``adapter``), videos and reels (``video``), reading back and figures
(``reading``), what Facebook would refuse (``checks``), the guided login (``login``). The Graph API itself
is in ``adapters.meta``.
"""
