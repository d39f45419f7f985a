"""The program `emovid`: its commands, and what it says when the disk is at fault.

Belongs here: putting the commands together. Does not belong here: any of them.
"""

import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from emovid_assets.cli.annotate import annotate
from emovid_assets.cli.build import build, demo, plan, status, verify
from emovid_assets.cli.collect import collect
from emovid_assets.cli.labeller import labeller
from emovid_assets.cli.look import report, ui
from emovid_assets.cli.release import release
from emovid_assets.cli.shared import err, fail, out
from emovid_assets.cli.snapshot import snapshot
from emovid_assets.cli.sql import sql
from emovid_assets.cli.study import study
from emovid_assets.cli.train import train
from emovid_assets.core.placing import DISK_FAULTS

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C has ended."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="Build emotion-annotated video datasets. Everything lies below EMOVID_HOME (default: ./data).",
)

for command in (build, demo, status, plan, verify, sql, report, ui, collect):
    app.command()(command)
app.add_typer(annotate, name="annotate")
app.add_typer(labeller, name="labeller")
app.add_typer(snapshot, name="snapshot")
app.add_typer(study, name="study")
app.add_typer(train, name="train")
app.add_typer(release, name="release")


def say_version(is_asked: bool) -> None:
    if is_asked:
        out.print(f"emovid {version('emovid-assets')}")
        raise typer.Exit


@app.callback()
def options(
    is_version_asked: Annotated[
        bool, typer.Option("--version", callback=say_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """What goes before a command."""


def main() -> None:
    """Entry point of the `emovid` program."""
    can_be_ended()
    try:
        app()
    except SystemExit as ended:
        # That is what has become of Ctrl-C.
        if ended.code == INTERRUPTED:
            err.print("stopped. What is finished is kept, and the same command goes on from there")
        raise
    except Exception as error:
        said = disk_fault(error)
        if said is None:
            raise
        sys.exit(fail(said).exit_code)


def can_be_ended() -> None:
    """What a script starts in the background ignores Ctrl-C, and Dagster takes whatever that does for SIGTERM too: its
    UI would then end by SIGKILL only, which leaves its servers behind."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def disk_fault(error: BaseException | None) -> str | None:
    """What a full, read-only or forbidden disk has to do with the error; null for errors of other kinds."""
    import sqlite3

    import duckdb

    from emovid_assets.resources.item_store import StateError

    # Whatever its name may be.
    home = Path(os.environ.get("EMOVID_HOME") or "data").expanduser().absolute()
    advice = f"check free space and permissions of {home}, then run the same command again"
    while error is not None:
        if isinstance(error, StateError):
            return str(error)
        if isinstance(error, OSError) and error.errno in DISK_FAULTS:
            return f"{error.filename or home}: {error.strerror}: {advice}"
        # Dagster keeps its own state in SQLite.
        if isinstance(error, sqlite3.OperationalError | duckdb.IOException):
            return f"{home}: {error}: {advice}"
        error = error.__cause__ or error.__context__
    return None
