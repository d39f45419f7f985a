"""A release as rules: what may be given away, which version it is, what has changed, how its files are written.

Belongs here: what can be said without knowing where files lie. Does not belong here: making, proving, rebuilding and
pushing a release (`resources.release`), its columns (`tables.release`).
"""
