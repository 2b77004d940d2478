"""
What people type on the master, what they are answered, and how that is printed.
"""
