"""Files: journal, run folders, locks, configuration."""
