"""The services of the simulated account and their wire protocols.

They know nothing of the program that is rehearsed on them.
"""
