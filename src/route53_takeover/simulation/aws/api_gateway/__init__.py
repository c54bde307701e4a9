"""The simulated API Gateway: APIs, custom domains with their mappings and rules, and requests."""
