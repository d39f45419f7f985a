"""What a person at a terminal asks for: build, plan, status.

Belongs here: walking the graph stage by stage in this process, saying what a build would do, showing how it goes.
Does not belong here: what is stale (`freshness`), and the arguments of commands (`cli`).
"""
