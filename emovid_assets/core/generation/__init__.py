"""Generated videos as rules and formulas: which are wanted, what they begin with, how they are made and judged.

Belongs here: what can be said of a video or of many without knowing where they lie, and models as functions. Does not
belong here: which files there are, what is kept of results (`resources.generation`).
"""
