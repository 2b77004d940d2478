"""
On the master: from Salt's cache into the store, and from the store to Salt's event bus.
"""
