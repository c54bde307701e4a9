"""Measuring what CloudFormation does about existing records, with throw-away names: the values."""
