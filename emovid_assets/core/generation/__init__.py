"""Generated videos: what is measured of them, and what differences between generators are worth.

Belongs here: formulas over plain arrays and rows. Does not belong here: running a generator, reading a file, Dagster.
"""
