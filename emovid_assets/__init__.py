"""EmoVid Assets: emotion-annotated video datasets as Dagster assets with DuckDB views."""
