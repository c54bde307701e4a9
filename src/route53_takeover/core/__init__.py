"""The pure core: no clock, randomness, I/O, async or logging. Time comes in with the events."""
