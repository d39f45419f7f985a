"""The registry: every table once, with type, unit and meaning of each column.

Belongs here: names, types, units, meanings, limits; a file a stage. Does not belong here: how a value is computed, and
where a table is stored.
"""
