"""What is missing or stale, and why; what has failed; what it would cost to build.

Belongs here: judging states and files against what was last built. Does not belong here: running anything (`building`,
`orchestration`), and printing.
"""
