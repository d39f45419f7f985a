"""The three domains of the dataset, and the word for all of them together."""

DOMAINS: tuple[str, ...] = ("movie", "animation", "sticker")
"""Heaviest first, so that a backfill starts the longest run first."""

TOTAL = "total"
"""All domains together, wherever a table, a view or the report has rows of each domain and of all of them."""
