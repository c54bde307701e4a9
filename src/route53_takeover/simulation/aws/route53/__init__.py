"""The simulated Route 53: its rules, its API's operations, and its name servers."""
