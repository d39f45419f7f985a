"""The assets, one module a stage. Thin: read inputs, call `core` or `resources`, return rows.

Belongs here: what depends on what, and what the UI shows of it. Does not belong here: any formula, any file
format, any loop over frames.
"""
