"""The screen: what a person sees of a run, and acts on it by. The only package that knows Textual.

It is given frozen views and sends requests back. It never reads AWS, DNS, a journal or a clock of
its own, and never opens a socket.
"""
