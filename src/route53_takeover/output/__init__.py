"""What a run without a screen says: text, JSON lines, the log."""
