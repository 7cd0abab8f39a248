"""X: posts and threads (``adapter``), its API and logins (``api``, ``through``, ``login``), the account as
X has it (``account``), uploads (``media``), counting texts (``text``), figures (``figures``), rate limits
(``pace``).
"""
