"""SQL for people: named queries, one query and its output, the prompt, what there is to query.

Belongs here: reading the catalogue on behalf of somebody who types. Does not belong here: what a view computes
(`sql/`), and how the catalogue is made (`resources.catalogue`).
"""
