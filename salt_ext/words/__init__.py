"""
Facts, changes, moments and values as people read and write them.
"""
