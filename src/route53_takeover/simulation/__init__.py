"""The simulated account: rehearsals over the wire, and thousands of runs on virtual time."""
