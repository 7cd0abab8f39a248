"""Reports: rows once, then one writer per format."""
