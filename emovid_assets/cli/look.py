"""`emovid report` and `ui`: a home is looked at.

Belongs here: arguments and printing. Does not belong here: any work.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from emovid_assets.cli.shared import fail, home_to_make, home_to_read, out
from emovid_assets.home.settings import SettingsError


def report(
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here, such as for a home that may not be written.")
    ] = None,
) -> None:
    """Write reports/report.html from the catalogue as it is, and print where it is."""
    import webbrowser

    from emovid_assets.report.build import build_report
    from emovid_assets.resources.sql_files import CatalogueError

    home = home_to_read()
    if output is None and not home.is_writable:
        raise fail(f"{home.root} may not be written: name a file for the report with --output")
    try:
        made = build_report(home, to=output)
    except (CatalogueError, SettingsError, OSError) as error:
        raise fail(str(error)) from error
    out.print(str(made.path), markup=False)
    if open_it and not webbrowser.open(made.path.as_uri()):
        raise fail("no browser was found; open the file by hand")


def ui(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
    live: Annotated[
        bool, typer.Option("--live", help="Sensors, schedules and automation are on: what is new is built by itself.")
    ] = False,
) -> None:
    """The Dagster UI with its daemon, on this machine only."""
    from emovid_assets.building.runner import open_instance
    from emovid_assets.orchestration.code_server import CodeServerError, start_beside

    home = home_to_make()
    home.library.mkdir(parents=True, exist_ok=True)
    try:
        # Sets DAGSTER_HOME, and makes Dagster's tables before the processes of `dagster dev` would all try to.
        open_instance(home).dispose()
    except ValueError as error:
        raise fail(str(error)) from error
    environment = {
        **os.environ,
        "EMOVID_HOME": str(home.root),
        **({"EMOVID_AUTOMATION": "on"} if live else {}),
    }
    program = shutil.which("dagster", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise fail("the program `dagster` is not installed beside this one; install emovid-assets again")
    address = f"http://127.0.0.1:{port}"
    out.print(f"Dagster UI on {address} for {home.root} (stop with Ctrl-C)")
    out.print(f"the graph of all tables: {address}/asset-groups")
    try:
        workspace = start_beside(environment)
    except CodeServerError as error:
        raise fail(str(error)) from error
    os.execve(program, [program, "dev", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(port)], environment)
