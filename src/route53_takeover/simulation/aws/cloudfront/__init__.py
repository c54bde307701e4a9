"""CloudFront of the simulated account: distributions, their edges, their policies."""
