"""What people see of a blue-green switch: the frame of any run, filled from its state."""
