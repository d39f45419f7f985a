"""What touches the world: the library folder, item state, worker processes, models, the catalogue.

Belongs here: I/O behind plain functions and classes. Does not belong here: formulas (`core`) and Dagster
objects, apart from `project`, which hands all of this to the assets.
"""
