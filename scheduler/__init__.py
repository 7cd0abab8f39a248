"""Whether, and whether again: the only part with state."""
