"""The screen: shows a run and takes the operator's keys. The only package that knows Textual.

It is given frozen views and sends requests back. It never reads AWS, DNS, a journal or a clock of
its own, and never opens a socket.
"""
