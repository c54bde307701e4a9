"""The web of the simulated account: sites, and the ways by which requests reach them."""
