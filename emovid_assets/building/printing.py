"""How a plan looks in a terminal.

Belongs here: printing. Does not belong here: what a build would do (`plan`), and what servers cost (`server_costs`).
"""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from emovid_assets.building.plan import PlannedAsset
from emovid_assets.building.terminal import duration
from emovid_assets.resources.endpoint_cost import Estimate


def print_plan(
    out: Console, planned: Sequence[PlannedAsset], costs: Mapping[str, Estimate], *, shows_following: bool
) -> None:
    """A line per asset that is to be built, with the reason, and what is known of time and price.

    `shows_following`: also what is fresh, but made from something that is to be built.
    """
    to_do = [one for one in planned if one.state != "up to date"]
    following = [one for one in to_do if one.state == "follows" and not one.items]
    if not to_do:
        out.print("everything is up to date")
        return
    table = Table("asset", "domain", "state", "items", "about", "reason", box=None, header_style="bold")
    for one in to_do if shows_following else (one for one in to_do if one not in following):
        colour = {"follows": "dim", "missing": "cyan"}.get(one.state, "yellow")
        items = ("?" if one.is_estimate else "") if one.items is None else f"{one.items:,}"
        items = f"~{items}" if one.is_estimate and one.items else items
        about = duration(one.seconds) if one.items else ""
        table.add_row(one.asset, one.domain or "all", f"[{colour}]{one.state}[/]", items, about, escape(one.reason))
    out.print(table)
    known = [one.seconds for one in to_do if one.items and one.seconds is not None]
    unknown = sum(one.seconds is None and (bool(one.items) or one.is_estimate) for one in to_do)
    if following and not shows_following:
        out.print(f"{len(following)} more follow where results come out different: --all shows them")
    told = [f"about {duration(sum(known))}"] if known else []
    told += [f"{unknown} of unknown length"] if unknown else []
    if told:
        out.print(f"{', '.join(told)}; ~ is an estimate, by what the domain holds now")
    for asset, cost in costs.items():
        hours = "" if cost.hours is None else f", about {duration(cost.hours * 3600)}"
        out.print(
            f"{asset}: {cost.request_count:,} requests, {cost.prompt_token_count:,} prompt and "
            f"{cost.output_token_count:,} output tokens, {cost.upload_bytes / 1e9:.2f} GB sent, "
            f"price {cost.price:,.2f}{hours} ({escape(cost.basis)})"
        )
