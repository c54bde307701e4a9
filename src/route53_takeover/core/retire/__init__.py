"""Retiring a stack: whether it may be deleted, and what would break."""
