"""
What people do to assets; who, when and why is kept for ever.
"""
