"""What Facebook, Instagram and Threads have in common: the Graph API (``graph``), its refusals
(``errors``), the way from container to post (``containers``), what a video may be (``videos``),
tokens exchanged and prolonged (``login``).
No platform by itself.
"""
