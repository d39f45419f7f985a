"""A home: the folder below which everything of one dataset lies.

Belongs here: where things lie, every value that a user may change, locks, files that travel with the package.
Does not belong here: what files hold, and what is done with them.
"""
