"""The machine of a blue-green switch: events in, state and commands out. Pure.

It stands beside `core.takeover` and shares with it what is true of any run (`core.events`,
`core.machine`). What is switched is one of the `Swap`s of `model`.
"""
