"""
The report of a machine: its envelope, its digest, where it is made and what is asked of it.
"""
