"""How a build looks in a terminal: bars while items are computed, a line per table, what went wrong.

Belongs here: printing. Does not belong here: deciding what runs (`runner`).
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from emovid_assets.building.looking import is_up_to_date
from emovid_assets.home.folders import Home
from emovid_assets.resources.progress import listener
from emovid_assets.resources.warehouse import Warehouse

if TYPE_CHECKING:
    from emovid_assets.building.runner import Scope, StageReport
    from emovid_assets.resources.collection.budget import Report as CollectionReport


class Bars:
    """One bar per step and domain; a bar appears when there is something to compute."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, object] = {}

    def __call__(self, step: str, done: int, total: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(step, total=total)
        self._progress.update(self._tasks[step], completed=done, total=total)  # type: ignore[arg-type]

    def clear(self) -> None:
        for task in self._tasks.values():
            self._progress.remove_task(task)  # type: ignore[arg-type]
        self._tasks.clear()


def run_build(
    out: Console,
    home: Home,
    domains: Sequence[str],
    selection: str | None = None,
    retry_quarantined: bool = False,
    scope: "Scope" = "needed",
) -> bool:
    """Builds and reports; true where every run succeeded."""
    if not (selection or retry_quarantined) and scope == "needed" and is_up_to_date(home, domains):
        out.print(f"everything is up to date\n{next_step(home, domains)}", markup=False)
        return True
    # Dagster, which takes a second to load.
    from emovid_assets.building import runner

    is_successful = True
    quarantined_count = run_count = 0
    with progress_bars(out) as progress:
        bars = Bars(progress)
        token = listener.set(bars)
        started = time.monotonic()
        try:
            for report in runner.build(
                home,
                domains=domains,
                selection=selection,
                retry_quarantined=retry_quarantined,
                scope=scope,
                told=lambda sentence: progress.console.print(sentence, markup=False),
            ):
                run_count += 1
                bars.clear()
                _print_stage(progress.console, report, time.monotonic() - started)
                is_successful = is_successful and report.error is None
                quarantined_count += sum(one.quarantined or 0 for one in report.assets)
                started = time.monotonic()
        finally:
            listener.reset(token)
    if not run_count:
        out.print("nothing has failed" if scope == "failed" else "everything is up to date")
    if quarantined_count:
        out.print('what to do about the quarantine: emovid sql "SELECT path, message FROM processing_errors"')
    if is_successful and not selection:
        out.print(next_step(home, domains), markup=False)
    return is_successful


def next_step(home: Home, domains: Sequence[str]) -> str:
    """What a person can do with a home in which nothing is left to build."""
    warehouse = Warehouse(home.warehouse)

    def row_count(table: str) -> int:
        return sum(warehouse.row_count(table, domain) or 0 for domain in domains)

    if not row_count("source_videos"):
        places = ", ".join(str(home.library / domain) for domain in domains)
        return f"nothing to work on: put media files into {places} and build again"
    if row_count("annotation_tasks") and not row_count("human_annotations"):
        return "next: emovid annotate export to-annotate, then emovid annotate import what people have answered"
    return "next: emovid report --open, or emovid sql --list"


def duration(seconds: float | None) -> str:
    """In the unit that a person would say; `?` where it is not known."""
    if seconds is None:
        return "?"
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "1 s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def print_collection(out: Console, report: "CollectionReport", *, is_dry: bool) -> None:
    """What a collection of one domain did, or would do."""
    done = f"{report.fetched:,} fetched, {report.bytes / 1e6:,.1f} MB, {report.tried:,} of {report.due:,} due tried"
    out.print(f"[bold]{report.domain}[/]  {f'{report.due:,} due' if is_dry else done}")
    for status, count in sorted(report.statuses.items()):
        out.print(f"  {status:12} {count:>8,}")
    for note in report.notes:
        out.print(f"  [yellow]note[/] {escape(note)}")
    if report.stopped:
        out.print(f"  [yellow]stopped[/] {escape(report.stopped)}")


def progress_bars(out: Console) -> Progress:
    """Bars that vanish when done and stay out of files and pipes."""
    columns = (
        TextColumn("{task.description:26}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    # At the end of bars that nobody could see, an empty line would be printed.
    return Progress(*columns, console=out, transient=True, disable=not out.is_interactive)


def _print_stage(out: Console, report: "StageReport", seconds: float) -> None:
    out.print(f"[bold]{report.domain or 'all domains'}[/]  [dim]run {report.run_id[:8]}, {seconds:.1f} s[/]")
    for asset in report.assets:
        notes = []
        if asset.computed is not None:
            notes.append(f"{asset.computed} computed")
        if asset.quarantined:
            notes.append(f"[yellow]{asset.quarantined} quarantined[/]")
        if asset.damaged_sound_tracks:
            notes.append(f"[yellow]{asset.damaged_sound_tracks} with damaged sound (clips.sound_missing_s)[/]")
        if asset.missing:
            notes.append(f"[yellow]{escape(asset.missing)}[/]")
        if asset.what_was_done:
            notes.append(f"[dim]{escape(asset.what_was_done)}[/]")
        if asset.side_files:
            notes.append(f"[dim]beside the media {asset.side_files}[/]")
        rows = "" if asset.rows is None else f"{asset.rows:,} rows"
        out.print(f"  {asset.asset:22} {rows:>12}  {', '.join(notes)}")
    for check in report.failed_checks:
        word = "[bold red]check failed[/]" if check.is_error else "[yellow]check warns[/]"
        out.print(f"  {word} {check.asset}.{check.check}: {escape(check.details)}")
    if report.error:
        out.print(f"  [bold red]failed[/] {escape(report.error)}")
