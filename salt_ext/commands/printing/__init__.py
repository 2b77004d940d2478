"""
How answers print: a file for each file of the runner, and the layout that they share.
"""
