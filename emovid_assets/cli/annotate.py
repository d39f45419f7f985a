"""`emovid annotate …`: the round trip with human annotators.

Belongs here: arguments and printing. Does not belong here: any work.
"""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from emovid_assets.cli.answers import print_progress, print_pulled, print_pushed, print_written, take_in_files
from emovid_assets.cli.shared import DomainOption, chosen_domains, fail, home_to_read, out
from emovid_assets.home.settings import SettingsError

REJECTED = "rejected_annotations"
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
    print_written(written)


@annotate.command("import")
def take_in(
    files: Annotated[list[Path], typer.Argument(help="Label Studio JSON exports or CSV files.")],
) -> None:
    """Copy annotation files into the library and say what would count; `emovid build` takes them up.

    Ends with 0 where all that is filled in was taken; with 3 where a file was taken and something in it has to be
    mended; with 1 where a file was not taken, of which nothing is kept then.
    """
    from emovid_assets.people.taking_in import ANNOTATIONS

    take_in_files(files, ANNOTATIONS, REJECTED)


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
    print_pushed(done)


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
    print_pulled(done, REJECTED)


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
    print_progress(projects)
