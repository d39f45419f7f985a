"""The round trip with people who annotate: tasks out, answers in.

Belongs here: files to fill in and to take in, projects of the annotation server. Does not belong here: which clips are
asked about (`core.sampling`), which answers count (`core.annotations`), and talking HTTP (`resources.label_studio`).
"""
