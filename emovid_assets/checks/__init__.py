"""Asset checks: what must hold of every table, and what the paper's protocols ask of some.

Belongs here: assertions over tables that are already written. Does not belong here: repairing anything.
"""
