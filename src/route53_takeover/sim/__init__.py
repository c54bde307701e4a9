"""One simulated account: in process on virtual time, or on loopback over AWS's own protocols."""
