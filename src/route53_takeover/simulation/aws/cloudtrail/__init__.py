"""CloudTrail of the simulated account."""
