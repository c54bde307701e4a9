"""Measuring an account's CloudFormation with throw-away names: `rehearse --live`."""
