"""What is kept on disk: journal, run folders, locks, configuration."""
