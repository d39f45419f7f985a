"""`emovid release rebuild`: the clips of a release are cut from sources that a person has got by himself.

Belongs here: arguments and printing. Does not belong here: any work (`resources.release.rebuilding`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from emovid_assets.cli.shared import err, fail, out
from emovid_assets.core.domains import DOMAINS
from emovid_assets.drawing.numerals import counted
from emovid_assets.home.folders import Home, HomeError

if TYPE_CHECKING:
    from emovid_assets.resources.release.rebuilding import Report

SHOWN = 8
"""Films and reasons that are named; all are in the report."""


def rebuild(
    release: Annotated[str, typer.Argument(help="Folder of a release, or a version of this home.")],
    sources: Annotated[
        Path, typer.Option("--sources", "-s", help="Folder with the source videos, under whatever names.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder. Default: RELEASE-rebuilt, beside it."),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0: one per core.")] = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 unless every clip shows the released pictures.")
    ] = False,
) -> None:
    """Cut the clips of a release from sources of your own, and prove them: same bytes, same pictures, differs, missing.
    A source that was re-encoded or trimmed is found by its pictures. Again: only what is missing."""
    from emovid_assets.building.terminal import Bars, progress_bars
    from emovid_assets.resources.item_store import StateError
    from emovid_assets.resources.release.reading import NotAReleaseError, find_release
    from emovid_assets.resources.release.rebuilding import STEPS, CannotRebuildError
    from emovid_assets.resources.release.rebuilding import rebuild as rebuild_clips
    from emovid_assets.resources.workers import WorkersCannotStartError

    home = _home()
    try:
        found = find_release(home, release)
        # Among the releases of a home nothing else may lie.
        beside = found.folder.resolve().parent
        if home is not None and beside == home.releases.resolve():
            beside = home.exports
        folder = output or beside / f"{found.folder.name}-rebuilt"
        with progress_bars(out) as progress:
            bars = Bars(progress)

            def tell(step: str, done: int, of: int) -> None:
                bars(STEPS[step], done, of)

            report = rebuild_clips(found, sources, folder, workers=workers, tell=tell)
    except (NotAReleaseError, CannotRebuildError, WorkersCannotStartError, StateError) as error:
        raise fail(str(error)) from error
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise fail(f"{said}: check free space and permissions, or give another folder with -o") from error
    _print(report)
    if strict and not report.is_same:
        raise typer.Exit(1)


def _home() -> Home | None:
    """The home, whose versions have short names; a folder of a release needs none."""
    try:
        return Home.from_environment()
    except HomeError:
        return None


def _print(report: "Report") -> None:
    from emovid_assets.resources.release.rebuilding import REPORT, RESULTS

    out.print(
        f"{counted(len(report.clips), 'clip')}, {report.cut_count:,} cut now, from {counted(report.file_count, 'file')}"
    )
    counts = report.counts()
    out.print(f"{'':12}" + "".join(f"{result.replace('_', ' '):>15}" for result in RESULTS))
    for domain in (*DOMAINS, None):
        numbers = [sum(counts[name, result] for name in DOMAINS if domain in (name, None)) for result in RESULTS]
        if any(numbers):
            out.print(f"{domain or 'together':12}" + "".join(f"{number:15,}" for number in numbers))
    _print_films(report)
    _print_reasons(report)
    out.print(f"each clip: {report.folder / REPORT}", markup=False)


def _print_films(report: "Report") -> None:
    """The files that were found by their pictures."""
    films = report.recognised()
    if films:
        out.print("found by their pictures, which differ by so many of 64 bits:")
    for film in films[:SHOWN]:
        when = "at the same time" if abs(film.offset_s) < 0.0005 else f"{film.offset_s:+.3f} s"
        out.print(f"  {escape(film.name)}: {counted(film.clip_count, 'clip')}, {when}, {film.distance_bits:.1f} bits")
    if len(films) > SHOWN:
        out.print(f"  and {len(films) - SHOWN:,} more")


def _print_reasons(report: "Report") -> None:
    """Why clips are missing, and which files could not be read."""
    for reason, count in sorted(report.reasons().items(), key=lambda one: (-one[1], one[0]))[:SHOWN]:
        out.print(f"[yellow]missing[/] {counted(count, 'clip')}: {escape(reason)}")
    for name, message in list(report.unread.items())[:SHOWN]:
        err.print(f"[yellow]not read[/] {escape(name)}: {escape(message)}")
