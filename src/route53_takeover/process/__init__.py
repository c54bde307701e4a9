"""A run in its own process, and those who watch it: start, control socket, client, replay."""
