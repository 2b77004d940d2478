"""
What people and programs ask of the inventory: one module for each question.

Commands, pages and the API call the same function here and differ only in how they read what
was asked and in how they show the answer. Nothing here knows Salt or Flask.
"""
