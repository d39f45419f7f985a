"""`emovid annotate …`: the round trip with human annotators.

Belongs here: arguments and printing. Does not belong here: any work.
"""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from emovid_assets.cli.shared import DomainOption, chosen_domains, fail, out
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SettingsError

annotate = typer.Typer(no_args_is_help=True, help="The round trip with human annotators.")


@annotate.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; is created.")],
    domain: DomainOption = None,
) -> None:
    """Write what annotators need: tasks for Label Studio's import, a labelling screen, and a CSV to fill in."""
    from emovid_assets.people.files import NothingToExportError, export_tasks

    try:
        written = export_tasks(Home.from_environment(), chosen_domains(domain), folder)
    except NothingToExportError as error:
        raise fail(str(error)) from error
    for path, count in written:
        out.print(f"{count:6d} tasks  {path}", markup=False)


@annotate.command("import")
def take_in(
    files: Annotated[list[Path], typer.Argument(help="Label Studio JSON exports or CSV files.")],
) -> None:
    """Copy annotation files into the library and say what would count; `emovid build` takes them up."""
    from emovid_assets.people.files import import_files

    home = Home.from_environment()
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise fail(f"no such file: {missing[0]}")
    try:
        reports = import_files(home, files)
    except (ValueError, FileExistsError) as error:
        raise fail(str(error)) from error
    for report in reports:
        out.print(f"{report.path}: {report.accepted} accepted, {report.rejected} rejected", markup=False)
        for reason, count in report.reasons.items():
            out.print(f"    {count:5d} {reason}")


@annotate.command("serve")
def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8080,
) -> None:
    """Start Label Studio for this home, on this machine only; sets it up the first time. Stop with Ctrl-C."""
    from emovid_assets.resources.label_studio import Access, LabelStudioError, running_server

    home = Home.from_environment()
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

    home, chosen = Home.from_environment(), chosen_domains(domain)
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

    home = Home.from_environment()
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
        for reason, count in report.reasons.items():
            out.print(f"    {count:5d} {reason}")
        if project.kept_count:
            out.print(f"    {project.kept_count:5d} answers are gone from the server and were kept")


@annotate.command("status")
def status() -> None:
    """How far people are: per Label Studio project, tasks, finished ones, and answers a person."""
    from emovid_assets.people import server as annotation_server
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    try:
        projects = annotation_server.status(LabelStudio.of(Home.from_environment()))
    except LabelStudioError as error:
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
