"""Guided logins: one module a platform, each with ``login(account, now, dialogue) -> Credentials``.

They ask for what only a person can copy, exchange it for what lasts longest, and try it. They store
nothing; that is the caller's. Renewals live beside the login, since both speak to the same addresses.
"""
