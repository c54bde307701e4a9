"""The simulated CloudFormation: templates, stacks, what is done to them, and the API over it."""
