"""`emovid annotate …`: the round trip with human annotators.

Belongs here: arguments and printing. Does not belong here: any work.
"""

import signal
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from emovid_assets.cli.shared import DomainOption, chosen_domains, fail, home_to_read, out
from emovid_assets.home.settings import SettingsError

if TYPE_CHECKING:
    from emovid_assets.people.taking_in import ImportReport

NOT_ALL = 3
"""How a command ends that has taken a file, but not all that is in it."""
SHOWN_MESSAGES = 3

annotate = typer.Typer(no_args_is_help=True, help="The round trip with human annotators.")


@annotate.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; is created, and has to be empty.")],
    domain: DomainOption = None,
    person: Annotated[
        list[str] | None,
        typer.Option("--person", "-p", help="Who is asked, by name or address: a CSV each; may be repeated."),
    ] = None,
) -> None:
    """Write what is still open: a CSV a person to fill in, a page that says how, and tasks and screens for Label
    Studio."""
    from emovid_assets.people.files import NotEmptyError, NothingToExportError, export_tasks

    chosen, home = chosen_domains(domain), home_to_read()
    try:
        written = export_tasks(home, chosen, folder, person or ())
    except (NothingToExportError, NotEmptyError, SettingsError) as error:
        raise fail(str(error)) from error
    for path, count in written:
        out.print(f"{f'{count} tasks' if count else 'read first':>12}  {path}", markup=False)


@annotate.command("import")
def take_in(
    files: Annotated[list[Path], typer.Argument(help="Label Studio JSON exports or CSV files.")],
) -> None:
    """Copy annotation files into the library and say what would count; `emovid build` takes them up.

    Ends with 0 where all that is filled in was taken; with 3 where a file was taken and something in it has to be
    mended; with 1 where a file was not taken, of which nothing is kept then.
    """
    from emovid_assets.people.taking_in import import_files

    home = home_to_read()
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise fail(f"no such file: {missing[0]}")
    try:
        reports = import_files(home, files)
    except SettingsError as error:
        raise fail(str(error)) from error
    for report in reports:
        if report.refusal is None:
            state = " (in place of the one before)" if report.is_replaced else ""
            out.print(f"{report.path}: {report.accepted} accepted, {report.rejected} rejected{state}", markup=False)
            _print_reasons(report)
    for report in reports:
        if report.refusal is not None:
            fail(f"{report.path} is not taken, and nothing of it is kept: {report.refusal}")
    if any(report.refusal for report in reports):
        raise typer.Exit(1)
    if not all(report.is_whole for report in reports):
        raise typer.Exit(NOT_ALL)


def _print_reasons(report: "ImportReport") -> None:
    """How often, and of the first few where and why; 80 columns wide."""
    for reason, messages in report.messages.items():
        out.print(f"    {len(messages):5d} {reason}")
        for message in messages[:SHOWN_MESSAGES]:
            out.print(textwrap.fill(message, 80, initial_indent=" " * 10, subsequent_indent=" " * 12), markup=False)
        if len(messages) > SHOWN_MESSAGES:
            left = len(messages) - SHOWN_MESSAGES
            out.print(f"          and {left} more: all are in rejected_annotations after emovid build", markup=False)


@annotate.command("serve")
def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8080,
) -> None:
    """Start Label Studio for this home, on this machine only; sets it up the first time. Stop with Ctrl-C."""
    from emovid_assets.resources.label_studio import Access, LabelStudioError, running_server

    home = home_to_read()
    # Ending it by a signal must end the server too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with running_server(home, port, lambda text: out.print(text, markup=False)) as server:
            out.print(f"Label Studio on {server.url} for {home.root} (stop with Ctrl-C)", markup=False)
            out.print(f"  administrator  see {Access.path(home)}", markup=False)
            out.print(f"  annotators     {server.invite_link()}", markup=False)
            out.print("  next           emovid annotate push", markup=False)
            server.wait()
    except KeyboardInterrupt:
        out.print("Label Studio ended")
    except (LabelStudioError, OSError) as error:
        raise fail(str(error)) from error


@annotate.command("push")
def push(domain: DomainOption = None) -> None:
    """Bring tasks to Label Studio that are not there yet; `emovid annotate serve` must be running."""
    from emovid_assets.people import server as annotation_server
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    chosen, home = chosen_domains(domain), home_to_read()
    try:
        done = annotation_server.push(home, LabelStudio.of(home), chosen)
    except (LabelStudioError, SettingsError, annotation_server.NothingToPushError) as error:
        raise fail(str(error)) from error
    for project in done:
        withdrawn = f", {project.withdrawn_count} no longer asked for" if project.withdrawn_count else ""
        counts = f"{project.new_count:5d} new of {project.task_count:5d} tasks{withdrawn}"
        out.print(f"{counts}  {project.title}  {project.address}", markup=False)


@annotate.command("pull")
def pull() -> None:
    """Bring the answers from Label Studio into the library and say what counts; `emovid build` takes them up."""
    from emovid_assets.people import server as annotation_server
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    home = home_to_read()
    try:
        done = annotation_server.pull(home, LabelStudio.of(home))
    except (LabelStudioError, SettingsError) as error:
        raise fail(str(error)) from error
    if not done:
        out.print("no answers yet; emovid annotate status says how far people are")
    for project in done:
        report = project.report
        state = "new answers" if project.is_changed else "as before"
        out.print(f"{report.path}: {report.accepted} accepted, {report.rejected} rejected ({state})", markup=False)
        _print_reasons(report)
        if project.kept_count:
            out.print(f"    {project.kept_count:5d} answers are gone from the server and were kept")


@annotate.command("status")
def status() -> None:
    """How far people are: per Label Studio project, tasks, finished ones, and answers a person."""
    from emovid_assets.people import server as annotation_server
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    home = home_to_read()
    try:
        projects = annotation_server.status(home, LabelStudio.of(home))
    except (LabelStudioError, SettingsError) as error:
        raise fail(str(error)) from error
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
