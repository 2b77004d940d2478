"""
Whose report is this: a pure decision, what it is given, and what a person may decide.
"""
