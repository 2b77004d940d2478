"""
What people type on the master, what the commands answer, and how answers are printed.
"""
