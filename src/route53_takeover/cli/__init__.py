"""The command line: options, commands, the composition root, and the run's own process."""
