"""Hand a live Route 53 record over to CloudFormation, with the shortest gap and a way back."""

__version__ = "0.1.0"
