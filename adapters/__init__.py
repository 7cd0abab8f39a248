"""Where campaigns are posted: one package per platform, and nothing about scheduling."""
