"""Rehearsals of a blue-green switch on virtual time: its account, its faults, and its judge."""
