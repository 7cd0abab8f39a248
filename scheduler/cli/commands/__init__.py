"""The commands, one module per kind of work. Each imports what it needs only when it runs."""
