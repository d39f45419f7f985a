"""`emovid collect`: the library is filled.

Belongs here: arguments and printing. Does not belong here: any work.
"""

from pathlib import Path
from typing import Annotated

import typer

from emovid_assets.cli.shared import DomainOption, chosen_domains, fail, home_to_make, out
from emovid_assets.home.settings import SettingsError


def collect(
    domain: DomainOption = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Files per domain; default: collection.max_items.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be asked and fetched.")] = False,
    retry: Annotated[bool, typer.Option(help="Also what is unavailable, blocked or has failed before.")] = False,
    source: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Folder or archive of animations with a manifest.csv; may be repeated."),
    ] = None,
) -> None:
    """Fetch films, stickers and animations into the library, within a budget. Docs: docs/collection.md."""
    from emovid_assets.building.terminal import Bars, print_collection, progress_bars
    from emovid_assets.resources.collection.budget import Budget
    from emovid_assets.resources.collection.collect import collect as collect_domain
    from emovid_assets.resources.collection.shelf import BrokenManifestError, BusyError

    chosen = ["animation"] if source and domain is None else chosen_domains(domain)
    if source and "animation" not in chosen:
        raise fail("--from is for animations; add --domain animation, or leave --domain out")
    home = home_to_make()
    try:
        settings = home.settings().collection
        for name in chosen:
            with progress_bars(out) as progress:
                report = collect_domain(
                    home,
                    name,
                    Budget.of(settings, limit),
                    progress=Bars(progress),
                    retries_all=retry,
                    is_dry=dry_run,
                    sources=[str(path) for path in source or ()],
                )
            print_collection(out, report, is_dry=dry_run)
    except (BrokenManifestError, BusyError, SettingsError) as error:
        raise fail(str(error)) from error
    if not dry_run:
        out.print("next: emovid build")
