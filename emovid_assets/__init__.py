"""EmoVid Assets: emotion-annotated video datasets as Dagster assets with DuckDB views."""

import os

# Arrow's own allocator keeps what it was given back: a build would grow with its library long after tables are gone.
# Arrow reads this when it first allocates, so it stands before everything that imports it.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
