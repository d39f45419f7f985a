"""The three domains of the dataset."""

DOMAINS: tuple[str, ...] = ("movie", "animation", "sticker")
"""Heaviest first, so that a backfill starts the longest run first."""
