"""The sections of the report: what is asked, what is shown, and the sentence that reads it.

Belongs here: a module for each topic, which asks only for views and columns of `sql/` and of the tables. Does not
belong here: drawing (`charts/`), and how a table looks in HTML (`exhibits`).
"""
