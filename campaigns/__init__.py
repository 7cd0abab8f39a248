"""What to say and when: pure, no database, no network, no clock of its own."""
