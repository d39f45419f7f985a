"""Drawing: SVG charts of plain values, for the report and for the pictures of Dagster's UI alike.

Belongs here: charts and the marks they share, colours, how numbers are written, markup that is escaped by
construction. Does not belong here: questions to the catalogue, sentences about what numbers mean, anything of Dagster.
"""
