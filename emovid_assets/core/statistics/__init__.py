"""Formulas over plain arrays, each in one place, for one table or for many resamples of it at once.

Belongs here: the formulas, with numpy alone. Does not belong here: where the numbers come from, how resamples are
drawn, and which results go into a table.
"""
