"""How collection touches the world: requests, downloads, files of the library, state that survives a kill.

Belongs here: everything of `core.collection` that needs a network, a disk or a clock. No Dagster.
"""
