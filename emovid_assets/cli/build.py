"""`emovid build`, `demo`, `status`, `plan`, `verify`: a home is built and looked after.

Belongs here: arguments and printing. Does not belong here: any work.
"""

import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from emovid_assets.cli.proofs import print_proofs
from emovid_assets.cli.shared import DomainOption, chosen_domains, fail, home_to_make, home_to_read, out
from emovid_assets.home.settings import SettingsError


class DemoSize(StrEnum):
    FULL = "full"
    SMALL = "small"


class Only(StrEnum):
    STALE = "stale"
    FAILED = "failed"


def build(
    domain: DomainOption = None,
    select: Annotated[
        str | None,
        typer.Option(help='Assets in the syntax of the UI: "key:clips+", "group:labels".'),
    ] = None,
    retry_quarantined: Annotated[bool, typer.Option(help="Try quarantined items once more.")] = False,
    only: Annotated[
        Only | None,
        typer.Option(help="`failed`: what failed, with quarantined items tried again. `stale`: as without the option."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is up to date; finished items are not computed again.")
    ] = False,
) -> None:
    """Build what is missing or stale, and what follows from it: new files, answers, settings, code, lost results."""
    from emovid_assets.building.terminal import run_build

    if everything and only:
        raise fail("--all builds everything and --only a part: leave one of them out")
    # What has failed or was put into quarantine is looked for in a home that is there.
    chosen, home = chosen_domains(domain), home_to_read() if only or retry_quarantined else home_to_make()
    home.library.mkdir(parents=True, exist_ok=True)
    try:
        is_successful = run_build(
            out,
            home,
            chosen,
            select,
            retry_quarantined,
            "everything" if everything else "failed" if only is Only.FAILED else "needed",
        )
    except (SettingsError, ValueError) as error:
        raise fail(str(error)) from error
    if not is_successful:
        raise typer.Exit(1)


def demo(
    size: Annotated[DemoSize, typer.Option(help="`small` is for a quick look.")] = DemoSize.FULL,
) -> None:
    """Make a small three-domain library by itself, build everything, and print the paper's tables from it."""
    from emovid_assets.demo.session import run_demo

    try:
        is_successful = run_demo(out, home_to_make(), size.value)
    except (FileExistsError, ValueError) as error:
        raise fail(str(error)) from error
    if not is_successful:
        raise typer.Exit(1)


def status(domain: DomainOption = None) -> None:
    """Per asset and domain: rows, quarantined items, and whether it is missing or stale."""
    from emovid_assets.building.status import library_notes
    from emovid_assets.building.status import status as status_of

    chosen, home = chosen_domains(domain), home_to_read()
    table = Table("asset", "domain", "rows", "quarantined", "state", box=None, header_style="bold")
    try:
        found = status_of(home, chosen)
    except ValueError as error:
        raise fail(str(error)) from error
    for state in found.states:
        colour = {"up": "green", "missing": "dim"}.get(state.state.partition(" ")[0], "yellow")
        rows = "" if state.rows is None else f"{state.rows:,}"
        quarantined = str(state.quarantined) if state.quarantined else ""
        table.add_row(state.asset, state.domain or "all", rows, quarantined, f"[{colour}]{state.state}[/]")
    out.print(table)
    for note in library_notes(home, chosen):
        out.print(f"[dim]{escape(note)}[/]")
    for failed in found.failures:
        told = f"{failed.failed_at:%Y-%m-%d %H:%M} UTC  {failed.asset} [{failed.domain or 'all'}]"
        out.print(f"[bold red]failed[/] {escape(f'{told}  run {failed.run_id[:8]} ({failed.job}): {failed.error}')}")


def plan(
    domain: DomainOption = None,
    select: Annotated[str | None, typer.Option(help="As of `emovid build`.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is fresh, but follows from something that is to be built.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array of all assets instead of a table.")] = False,
) -> None:
    """What a build would do: what is stale and why, how many items, about how long. No table or medium is written."""
    import json

    from emovid_assets.building.plan import plan as planned_assets
    from emovid_assets.building.printing import print_plan
    from emovid_assets.building.server_costs import server_costs

    chosen, home = chosen_domains(domain), home_to_read()
    try:
        planned = planned_assets(home, chosen, select)
    except (SettingsError, ValueError) as error:
        raise fail(str(error)) from error
    if as_json:
        sys.stdout.write(json.dumps([one.as_json() for one in planned], indent=1) + "\n")
        return
    print_plan(out, planned, server_costs(home, planned), shows_following=everything)


def verify(
    repair: Annotated[
        bool, typer.Option(help="Forget what does not hold, so that `emovid build` makes it again; remove leftovers.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Prove the warehouse: hash every file again, compare clip files with their rows, check tables, ids, splits and
    the quarantine. Reads all media."""
    from emovid_assets.checks import proofs as verification

    try:
        proofs = list(verification.proofs(home_to_read(), repair=repair))
    except (verification.NothingBuiltError, SettingsError, OSError) as error:
        raise fail(str(error)) from error
    print_proofs(proofs, as_json=as_json)
    failed = [proof for proof in proofs if not proof.holds]
    if failed and not as_json:
        is_repair_due = not repair and any(proof.is_repairable for proof in failed)
        out.print("next: emovid verify --repair, then emovid build" if is_repair_due else "next: emovid build")
    if failed:
        raise typer.Exit(1)
