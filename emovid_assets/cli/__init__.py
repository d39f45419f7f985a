"""The command line: `emovid …`. `--help` on each command says what it is for.

Belongs here: arguments, and what the terminal shows. Does not belong here: any work. Imports that cost time (Dagster,
DuckDB) happen in the command that needs them.
"""

from emovid_assets.cli.app import main

__all__ = ["main"]
