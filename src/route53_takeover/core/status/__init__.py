"""What people see of a run, worked out from its state and its events. Decides nothing."""
