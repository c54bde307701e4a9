"""The lowest layer: errors, safe text, standard streams, signals, private files.

Knows no record, stack or run, and imports nothing of this program.
"""
