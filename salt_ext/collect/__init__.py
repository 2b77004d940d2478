"""
Asking machines for reports now: the modes, and the pool that asks many at a time.
"""
