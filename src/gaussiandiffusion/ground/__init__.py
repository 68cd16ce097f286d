"""Ground floor: what every room stands on, and what knows none of them.

Errors and files, seeds, conditions, provenance, 8-bit images, checked records, saved components.
"""
