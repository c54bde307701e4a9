"""The machine of a takeover: events in, state and commands out. Pure.

`step` is the one door; `fold*` take events in, `release_gate`, `active` and `completion` decide.
"""
