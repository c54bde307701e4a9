"""A run in its own process: start, control socket, client, replay."""
