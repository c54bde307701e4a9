"""What each command does: one module a command, called with its options in groups."""
