"""The charts: each takes plain values and gives an SVG figure.

Belongs here: drawing. Does not belong here: SQL, and sentences about what the numbers mean.
"""
