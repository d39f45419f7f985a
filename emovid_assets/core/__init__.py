"""What the dataset is, as plain functions: formulas, votes, cuts, splits.

Belongs here: anything that can be said without Dagster. Nothing here imports it, and nothing
here reads or writes a file when it is imported.
Does not belong here: where tables lie, how a run is launched, what the UI shows.
"""
