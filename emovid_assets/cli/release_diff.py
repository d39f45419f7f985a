"""`emovid release diff A B`: what one release says otherwise than another.

Belongs here: arguments and printing. Does not belong here: comparing (`core.release.changes`), and the other commands
of `emovid release`.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emovid_assets.cli.shared import fail, named_home, out

if TYPE_CHECKING:
    from emovid_assets.core.release.changes import Difference
    from emovid_assets.resources.release.reading import Release

WIDTH = 80
"""Columns of a terminal; what is longer is the path of a folder."""
SHOWN_COLUMNS, SHOWN_MOVES, SHOWN_REASONS = 20, 12, 8


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A version of this home, such as 1.0.0, or a folder.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The one that is compared with it.")],
    clips: Annotated[bool, typer.Option("--clips", "-c", help="List what differs, clip by clip.")] = False,
    form: Annotated[str, typer.Option("--format", help="table, csv, json or parquet; the list of --clips.")] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the list of --clips here.")] = None,
) -> None:
    """Say what has changed from one release to another: clips, columns, labels, and which step of the version it is.

    In SQL, within a home: from release_diff('1.0.0', '1.1.0')."""
    from emovid_assets.core.release.changes import difference
    from emovid_assets.queries import running as queries
    from emovid_assets.resources.release.reading import NotAReleaseError, find_release, rows

    home = named_home()
    place = home if home.root.is_dir() else None
    try:
        queries.check_form(form, output)
        was, now = find_release(place, before), find_release(place, after)
        found = difference(rows(was), rows(now), is_same_tier=was.tier == now.tier)
        if clips or form != "table" or output is not None:
            queries.write(found.changes.to_reader(), form, output)
            return
    except (NotAReleaseError, queries.QueryError) as error:
        raise fail(str(error)) from error
    except ValueError as error:
        raise fail(f"{before} and {after} cannot be compared: {error}") from error
    except OSError as error:
        raise fail(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error
    out.print("\n".join(summary(was, now, found)), markup=False)


def summary(before: "Release", after: "Release", found: "Difference") -> Iterator[str]:
    """What the terminal shows, line by line."""
    yield f"from {_told(before)}"
    yield f"to   {_told(after)}"
    if before.tier != after.tier:
        yield "one holds media and the other none: whether there is a file is not compared"
    yield ""
    yield _line("", ("before", "added", "removed", "changed", "after"))
    for name, one in (*found.domains.items(), ("together", found.total)):
        yield _line(name, (f"{n:,}" for n in (one.before, one.added, one.removed, one.changed, one.after)))
    yield from _columns(found)
    yield from _labels(found)
    yield from _step(before, found)


def _told(release: "Release") -> str:
    return f"{release.name} {release.version}, {release.tier}, {release.created_at:%Y-%m-%d}, {release.folder.name}"


def _columns(found: "Difference") -> Iterator[str]:
    if found.columns:
        yield ""
        yield _line("clips by column", ("another value", "new value", "none now"), 15)
        most = sorted(found.columns.items(), key=lambda one: -one[1].total)
        for name, one in most[:SHOWN_COLUMNS]:
            yield _line(name, (f"{n:,}" for n in (one.altered, one.filled, one.emptied)), 15)
        if len(most) > SHOWN_COLUMNS:
            yield f"… {len(most) - SHOWN_COLUMNS} more columns; --clips lists everything"
    lists = (
        ("added", found.columns_added),
        ("gone", found.columns_removed),
        ("of another type", found.columns_retyped),
    )
    for said, names in lists:
        if names:
            yield ""
            yield from textwrap.wrap(f"columns {said}: {', '.join(names)}", WIDTH, subsequent_indent="  ")


def _labels(found: "Difference") -> Iterator[str]:
    if found.emotions:
        yield ""
        yield f"{'label was':20}{'is now':20}{'clips':>9}"
        moves = list(found.emotions.items())
        for (was, now), count in moves[:SHOWN_MOVES]:
            yield f"{was or '-':20}{now or '-':20}{count:9,}"
        if len(moves) > SHOWN_MOVES:
            yield f"… {len(moves) - SHOWN_MOVES} more pairs of labels"


def _step(before: "Release", found: "Difference") -> Iterator[str]:
    from emovid_assets.core.release.versions import next_version

    bump = next_version(before.version, found)
    yield ""
    if bump.kind == "none":
        yield "the rows say the same: by the rule of versions there is nothing to release"
        return
    yield f"by the rule of versions this is a {bump.kind} step, {before.version} to {bump.version}:"
    for reason in bump.reasons[:SHOWN_REASONS]:
        yield from textwrap.wrap(reason, WIDTH - 2, initial_indent="  ", subsequent_indent="    ")
    if len(bump.reasons) > SHOWN_REASONS:
        yield f"  … and {len(bump.reasons) - SHOWN_REASONS} more reasons"


def _line(name: str, cells: Iterable[str] | Sequence[str], width: int = 10) -> str:
    return f"{name:28}" + "".join(f"{cell:>{width}}" for cell in cells)
