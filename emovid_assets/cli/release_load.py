"""`emovid release load`: how a release is read elsewhere, and reading it there.

Belongs here: arguments and printing. Does not belong here: any work.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emovid_assets.cli.shared import err, fail, named_home, out
from emovid_assets.core.release.snippets import READERS, READERS_BY_NAME, Reader

if TYPE_CHECKING:
    from emovid_assets.core.release.parts import Split
    from emovid_assets.resources.release.loading import Loaded

_NAMES = ", ".join(READERS_BY_NAME)


def load(
    release: Annotated[str, typer.Argument(help="A version such as 1.0.0, or the folder of a release.")],
    reader: Annotated[str | None, typer.Option("--with", help=f"Read all of it with one of: {_NAMES}.")] = None,
    python: Annotated[
        Path | None,
        typer.Option(help="The Python that has the library, where it is another one: ENVIRONMENT/bin/python."),
    ] = None,
) -> None:
    """How other libraries read a release: lines to copy. With --with: read all of it there, and say what was found."""
    from emovid_assets.resources.release.loading import LoadingError, splits_in
    from emovid_assets.resources.release.reading import NotAReleaseError, find_release

    if reader is not None and reader not in READERS_BY_NAME:
        raise fail(f"'{reader}' is no reader that is known; use one of {_NAMES}")
    try:
        found = find_release(named_home(), release)
        folder = found.folder.resolve()
        splits = splits_in(folder)
        if reader is None:
            _print_splits(splits, f"{found.name} {found.version} ({found.tier})")
            _print_readers(folder, splits, python)
        else:
            _load(READERS_BY_NAME[reader], folder, splits, python)
    except (NotAReleaseError, LoadingError) as error:
        raise fail(str(error)) from error


def _load(reader: Reader, folder: Path, splits: "tuple[Split, ...]", python: Path | None) -> None:
    from emovid_assets.resources.release.loading import differences, lines, missing, why_not
    from emovid_assets.resources.release.loading import load as read_with

    if reason := why_not(reader, folder, splits):
        raise fail(f"{reader.name} finds nothing there: {reason}")
    if absent := missing(reader, python):
        where = python or "this Python"
        raise fail(
            f"{where} has no {', '.join(absent)}: pip install {reader.install}, or name another Python with --python"
        )
    out.print(lines(reader, folder, splits), markup=False)
    loaded = read_with(reader, folder, splits, python)
    _print_splits(loaded.splits, f"read with {reader.name}")
    _print_first(loaded)
    if faults := differences(loaded, reader, splits):
        raise fail("; ".join(faults))


def _print_splits(splits: "tuple[Split, ...]", title: str) -> None:
    rows, media = sum(split.clip_count for split in splits), sum(split.media_count for split in splits)
    out.print(title, markup=False)
    out.print(f"{'':12}{'rows':>10}{'with file':>12}")
    for split in splits:
        out.print(f"{split.name:12}{split.clip_count:10,}{split.media_count:12,}", markup=False)
    out.print(f"{'together':12}{rows:10,}{media:12,}")


def _print_first(loaded: "Loaded") -> None:
    out.print("the first one, without what is null:")
    for name, value in loaded.first.items():
        if value != "None":
            out.print(f"  {name}: {value}", markup=False)


def _print_readers(folder: Path, splits: "tuple[Split, ...]", python: Path | None) -> None:
    from emovid_assets.resources.release.loading import lines, missing, why_not

    width = max(len(reader.name) for reader in READERS) + 2
    out.print()
    out.print(f"{'--with':{width}}{'here':8}gives")
    usable = []
    for reader in READERS:
        reason = why_not(reader, folder, splits)
        if reason is None:
            usable.append(reader)
        here = "-" if reason else "no" if missing(reader, python) else "yes"
        out.print(f"{reader.name:{width}}{here:8}{reason or reader.gives}", markup=False)
    for reader in usable:
        out.print()
        install = f"  # pip install {reader.install}" if reader.install else ""
        out.print(f"## {reader.name}{install}", markup=False)
        out.print(lines(reader, folder, splits).rstrip(), markup=False)
    err.print("read all of it with one of them: emovid release load RELEASE --with NAME")
