"""
People's lists of machines: read, matched, compared, given back, and the workbook in their place.
"""
