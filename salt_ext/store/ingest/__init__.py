"""
Reports in: touched when unchanged, else given to their assets and written.
"""
