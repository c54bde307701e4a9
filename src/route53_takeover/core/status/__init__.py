"""What views show of a run, computed from its state and its events. Decides nothing."""
