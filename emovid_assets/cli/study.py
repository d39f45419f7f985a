"""`emovid study …`: people compare generated videos.

Belongs here: arguments and printing. Does not belong here: any work.
"""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emovid_assets.cli.answers import print_progress, print_pulled, print_pushed, print_written, take_in_files
from emovid_assets.cli.shared import DomainOption, chosen_domains, fail, home_to_read, out
from emovid_assets.home.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emovid_assets.people.study import Tell

REJECTED = "rejected_preferences"

study = typer.Typer(no_args_is_help=True, help="People compare generated videos, blind (docs/study.md).")


@study.command("make")
def make(domain: DomainOption = None) -> None:
    """Make what people are shown of the pairs that `emovid build` has drawn: copies whose names say nothing. Says how
    often which generators meet, which nobody who answers should see."""
    from emovid_assets.people import study as people_study

    chosen, home = chosen_domains(domain), home_to_read()
    try:
        with _bars() as tell:
            done = people_study.make(home, chosen, tell)
    except (SettingsError, people_study.NothingToCompareError) as error:
        raise fail(str(error)) from error
    for one in done:
        checks = f"{one.check_count} attention checks"
        out.print(
            f"{one.domain}: {len(one.tasks) - one.check_count} pairs, {checks}, {one.videos.made_count} files made"
        )
        for (first, second), count in sorted(one.compared.items()):
            out.print(f"    {count:5d}  {first} and {second}", markup=False)
        for task_id, fault in sorted(one.videos.faults.items()):
            out.print(f"    {task_id} cannot be shown: {fault}", markup=False)
    out.print("next: emovid annotate serve and emovid study push, or emovid study export FOLDER")


@study.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Where to write; is created, and has to be empty.")],
    domain: DomainOption = None,
    person: Annotated[
        list[str] | None,
        typer.Option("--person", "-p", help="Who is asked, by name or address: a page and a CSV each; repeatable."),
    ] = None,
) -> None:
    """Write what is still open without a server: per person a page with two players in step that saves the answers,
    the same as a CSV to fill in, and the videos."""
    from emovid_assets.people.files import NotEmptyError
    from emovid_assets.people.study import NothingToCompareError
    from emovid_assets.people.study_files import export_study

    chosen, home = chosen_domains(domain), home_to_read()
    try:
        with _bars() as tell:
            written = export_study(home, chosen, folder, person or (), tell)
    except (NothingToCompareError, NotEmptyError, SettingsError) as error:
        raise fail(str(error)) from error
    print_written(written)


@study.command("import")
def take_in(
    files: Annotated[list[Path], typer.Argument(help="Label Studio JSON exports or CSV files.")],
) -> None:
    """Copy files of answers into the library and say what would count; `emovid build` takes them up.

    Ends with 0, 3 or 1 as `emovid annotate import` does.
    """
    from emovid_assets.people.taking_in import PREFERENCES

    take_in_files(files, PREFERENCES, REJECTED)


@study.command("push")
def push(domain: DomainOption = None) -> None:
    """Bring pairs to Label Studio that are not there yet; `emovid annotate serve` must be running."""
    from emovid_assets.people import study as people_study
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    chosen, home = chosen_domains(domain), home_to_read()
    try:
        people_study.require_pairs(home, chosen)
        with _bars() as tell:
            done = people_study.push(home, LabelStudio.of(home), chosen, tell)
    except (LabelStudioError, SettingsError, people_study.NothingToCompareError) as error:
        raise fail(str(error)) from error
    print_pushed(done)


@study.command("pull")
def pull() -> None:
    """Bring the answers from Label Studio into the library and say what counts; `emovid build` takes them up."""
    from emovid_assets.people import study as people_study
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    home = home_to_read()
    try:
        people_study.require_pairs(home)
        done = people_study.pull(home, LabelStudio.of(home))
    except (LabelStudioError, SettingsError, people_study.NothingToCompareError) as error:
        raise fail(str(error)) from error
    if not done:
        out.print("no answers yet; emovid study status says how far people are")
    print_pulled(done, REJECTED)


@study.command("status")
def status() -> None:
    """How far people are: per domain the pairs that files have answers to; per Label Studio project of the study,
    where its server runs, pairs, finished ones, and answers a person."""
    from emovid_assets.people import study as people_study
    from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError

    home = home_to_read()
    try:
        found = people_study.answered(home)
    except (SettingsError, people_study.NothingToCompareError) as error:
        raise fail(str(error)) from error
    for one in found:
        files = f"{one.domain}: of {one.pair_count} pairs {one.answered_count} are answered in library/preferences"
        out.print(f"{files}, {one.finished_count} by enough people; people: {len(one.people)}", markup=False)
    try:
        projects = people_study.status(home, LabelStudio.of(home))
    except LabelStudioError as error:
        if any(one.people for one in found):
            # Whoever works with files needs no server.
            return
        raise fail(str(error)) from error
    except SettingsError as error:
        raise fail(str(error)) from error
    print_progress(projects)


@contextmanager
def _bars() -> "Iterator[Tell]":
    from emovid_assets.building.terminal import Bars, progress_bars

    with progress_bars(out) as progress:
        yield Bars(progress)
