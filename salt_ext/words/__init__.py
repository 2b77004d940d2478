"""
Facts, changes, times and values as people read and write them.
"""
