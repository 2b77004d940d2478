"""
Every question that can be asked of the store; nothing here writes.
"""
