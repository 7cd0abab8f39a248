"""Who may say what: people and their roles, approvals."""
