"""The output of a run without a screen: text, JSON lines, the log."""
