"""What `emovid annotate` and `emovid study` print of files and of projects on the server.

Belongs here: that. Does not belong here: any command, and any work.
"""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape
from rich.table import Table

from emovid_assets.cli.shared import fail, home_to_read, out
from emovid_assets.home.settings import SettingsError

if TYPE_CHECKING:
    from emovid_assets.people.server import Progress, Pulled, Pushed
    from emovid_assets.people.taking_in import ImportReport, Kind

NOT_ALL = 3
"""How a command ends that has taken a file, but not all that is in it."""
SHOWN_MESSAGES = 3


def take_in_files(files: Sequence[Path], kind: "Kind", rejected: str) -> None:
    """Copies files into the library and says what would count. `rejected`: the table of what does not."""
    from emovid_assets.people.taking_in import import_files

    home = home_to_read()
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise fail(f"no such file: {missing[0]}")
    try:
        reports = import_files(home, files, kind)
    except SettingsError as error:
        raise fail(str(error)) from error
    for report in reports:
        if report.refusal is None:
            state = " (in place of the one before)" if report.is_replaced else ""
            out.print(f"{report.path}: {report.accepted} accepted, {report.rejected} rejected{state}", markup=False)
            _print_reasons(report, rejected)
    for report in reports:
        if report.refusal is not None:
            fail(f"{report.path} is not taken, and nothing of it is kept: {report.refusal}")
    if any(report.refusal for report in reports):
        raise typer.Exit(1)
    if not all(report.is_whole for report in reports):
        raise typer.Exit(NOT_ALL)


def _print_reasons(report: "ImportReport", rejected: str) -> None:
    """How often, and of the first few where and why; 80 columns wide."""
    for reason, messages in report.messages.items():
        out.print(f"    {len(messages):5d} {reason}")
        for message in messages[:SHOWN_MESSAGES]:
            out.print(textwrap.fill(message, 80, initial_indent=" " * 10, subsequent_indent=" " * 12), markup=False)
        if len(messages) > SHOWN_MESSAGES:
            left = len(messages) - SHOWN_MESSAGES
            out.print(f"          and {left} more: all are in {rejected} after emovid build", markup=False)


def print_written(written: Iterable[tuple[Path, int]]) -> None:
    """Files that were written, each with how many tasks are in it."""
    for path, count in written:
        out.print(f"{f'{count} tasks' if count else 'read first':>12}  {path}", markup=False)


def print_pushed(done: Iterable["Pushed"]) -> None:
    for project in done:
        withdrawn = f", {project.withdrawn_count} no longer asked for" if project.withdrawn_count else ""
        counts = f"{project.new_count:5d} new of {project.task_count:5d} tasks{withdrawn}"
        out.print(f"{counts}  {project.title}  {project.address}", markup=False)


def print_pulled(done: Iterable["Pulled"], rejected: str) -> None:
    """`rejected`: the table of answers that do not count."""
    for project in done:
        report = project.report
        state = "new answers" if project.is_changed else "as before"
        out.print(f"{report.path}: {report.accepted} accepted, {report.rejected} rejected ({state})", markup=False)
        _print_reasons(report, rejected)
        if project.kept_count:
            out.print(f"    {project.kept_count:5d} answers are gone from the server and were kept")


def print_progress(projects: Iterable["Progress"]) -> None:
    table = Table(box=None, header_style="bold")
    table.add_column("project", no_wrap=True)
    for name in ("tasks", "finished", "skipped"):
        table.add_column(name, justify="right")
    table.add_column("answers")
    for project in projects:
        people = ", ".join(f"{name} {count}" for name, count in sorted(project.answers.items()))
        numbers = (project.task_count, project.finished_count, project.skipped_count)
        table.add_row(escape(project.title), *map(str, numbers), escape(people))
    out.print(table)
