"""Runs on virtual time among faults: what is drawn and injected, the oracle, coverage, search."""
