"""The plan of a takeover: what was found, whose it is, what is refused, what it may cost."""
