"""
People's own lists of machines: read, matched, compared, kept and annotated.

The workbook that can replace such a list is here too.
"""
