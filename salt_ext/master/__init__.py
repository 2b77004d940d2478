"""
On the master: its cache, what is due in it, and what is told on its event bus.
"""
