"""Where campaigns are posted: one module per platform, and nothing about scheduling."""
