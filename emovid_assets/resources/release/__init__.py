"""Releases and snapshots as folders: made, proved, compared, rebuilt from sources, pushed elsewhere.

Belongs here: what touches files and networks. Does not belong here: the rules that decide (`core.release`).
"""
