"""`emovid snapshot …`: states of the tables are kept under names.

Belongs here: arguments and printing. Does not belong here: any work, and asking of a snapshot (`emovid sql --at`).
"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from emovid_assets.cli.shared import err, fail, home_to_read, out
from emovid_assets.drawing.numerals import counted
from emovid_assets.home.settings import SettingsError

NAME_OF_NOW = "%Y-%m-%d.%H%M%S"

snapshot = typer.Typer(no_args_is_help=True, help="Keep states of the tables under names (docs/release.md).")


@snapshot.callback()
def group() -> None:
    """Keep states of the tables under names (docs/release.md)."""


@snapshot.command("make")
def make(
    name: Annotated[str | None, typer.Argument(help="Default: the time now, such as 2026-11-30.015200 (UTC).")] = None,
) -> None:
    """Keep all tables as they are now, in no time and in no space but that of what changes afterwards."""
    from emovid_assets.resources.release.snapshots import SnapshotError, make_snapshot

    home = home_to_read()
    try:
        made = make_snapshot(home, f"{datetime.now(UTC):{NAME_OF_NOW}}" if name is None else name)
    except (SnapshotError, SettingsError) as error:
        raise fail(str(error)) from error
    tables = len({part.table for part in made.parts})
    out.print(
        f"snapshot {made.name}: {counted(made.clip_count, 'clip')}, {counted(tables, 'table')}, "
        f"{made.size_bytes / 1e6:,.1f} MB that the home has too",
        markup=False,
    )
    out.print(f'ask of it: emovid sql --at {made.name} "from dataset_statistics"', markup=False)
    out.print(f"what has changed since: emovid sql \"from changes_since('{made.name}')\"", markup=False)


@snapshot.command("list")
def list_all() -> None:
    """Show which there are, the oldest first."""
    from emovid_assets.resources.release.snapshots import snapshots_of

    found = snapshots_of(home_to_read())
    if found.snapshots:
        width = max(len("name"), *(len(one.name) for one in found.snapshots))
        out.print(f"{'name':{width}}  {'made at (UTC)':16}  {'clips':>9}  {'MB':>9}  software", markup=False)
        for one in found.snapshots:
            size = f"{one.size_bytes / 1e6:9,.1f}"
            facts = f"{one.created_at:%Y-%m-%d %H:%M}  {one.clip_count:9,}  {size}  {one.software}"
            out.print(f"{one.name:{width}}  {facts}", markup=False)
    elif not found.broken:
        err.print("there is no snapshot yet; make one with: emovid snapshot make NAME", markup=False)
    for sentence in found.broken.values():
        err.print(sentence, markup=False)


@snapshot.command("remove")
def remove(name: Annotated[str, typer.Argument(help="As `emovid snapshot list` shows it.")]) -> None:
    """Remove a snapshot. The tables of the home, and other snapshots, keep what they hold."""
    from emovid_assets.resources.release.snapshots import SnapshotError, remove_snapshot

    try:
        remove_snapshot(home_to_read(), name)
    except SnapshotError as error:
        raise fail(str(error)) from error
    out.print(f"snapshot {name} is removed", markup=False)
