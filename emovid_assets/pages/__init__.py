"""Pages of `docs/` that are made from the registry, the settings and the headers of `sql/`.

Belongs here: how the pages look. Does not belong here: any fact about a table, a view, a query or a setting.
"""
