"""Generated videos and the world: models that make them, files that people bring, models that score them.

Belongs here: what loads a model, reads a file or writes one for this stage. Does not belong here: rules and formulas
(`core.generation`), rows (`assets`).
"""
