"""The engine that hosts a machine, its pollers, preflight, and `restore`."""
