"""The simulated Step Functions: state machines of the subset that the deadman in AWS needs."""
