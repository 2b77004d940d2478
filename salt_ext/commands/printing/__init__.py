"""
How the answers of the runner print; the outputter chooses by their kind.
"""
