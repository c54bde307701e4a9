"""AWS's protocols on loopback, generic over botocore's service models."""
