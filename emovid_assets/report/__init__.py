"""The report: one HTML file with every table and figure of the dataset, read without any program but a browser.

Belongs here: asking the catalogue, writing HTML. Does not belong here: any number that SQL does not give, charts (they
are `drawing`), and anything of Dagster.
"""
