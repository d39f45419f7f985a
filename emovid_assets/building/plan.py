"""What a build would do, before anything runs: which assets of which domain, why, how many items, about how long.

Belongs here: states together with the numbers of items (`counting`). Does not belong here: what is stale (`staleness`),
how a plan is printed (`cli`). Nothing is decoded, no model is loaded, nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from emovid_assets.assets.partitions import DOMAINS
from emovid_assets.building.runner import open_instance_to_read, stages
from emovid_assets.freshness.amounts import Amount, item_counts, labeller_amount
from emovid_assets.freshness.needs import current_verdicts
from emovid_assets.freshness.staleness import Lineage, Place, Verdict
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.project import ALL_DOMAINS

State = Literal["missing", "stale", "follows", "incomplete", "up to date"]


@dataclass(frozen=True)
class PlannedAsset:
    """An asset in a domain. `items` is null where it computes none, or nobody can say how many.

    `follows`: fresh, but made from something that is to be built, so stale if that comes out different. `incomplete`:
    fresh, but items are missing, because they failed for a reason that may pass.
    `seconds`: of the items, by the last time that the step ran in this domain; null where it never has. `finished`:
    payloads of the items that are done under the present settings.
    """

    asset: str
    domain: str | None
    state: State
    reason: str
    items: int | None
    is_estimate: bool
    seconds: float | None
    finished: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def as_json(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "finished"}


def plan(home: Home, domains: Sequence[str] = DOMAINS, selection: str | None = None) -> list[PlannedAsset]:
    """Every selected asset, in the order in which they are built. Raises ValueError, SettingsError."""
    definitions = build_defs()
    chosen = {key.to_user_string() for _, keys in stages(definitions, selection) for key in keys}
    lineage = Lineage(definitions.resolve_asset_graph())
    with open_instance_to_read(home) as instance:
        verdicts = current_verdicts(home, lineage, instance, domains)
    changing = _changing(lineage, verdicts)
    amounts: dict[Place, Amount] = {}
    for domain in domains:
        outdated = {place.asset for place in changing if place.domain == domain}
        amounts |= {Place(asset, domain): amount for asset, amount in item_counts(home, domain, outdated).items()}
    labeller = Place("emotion_labeller", None)
    is_open = any(one in changing for one in lineage.all_parents(labeller))
    if amount := labeller_amount(home, is_open=is_open):
        amounts[labeller] = amount
    store = ItemStore.to_read(home.state)
    try:
        rates = store.rates()
    finally:
        store.close()
    planned = []
    for place, verdict in verdicts.items():
        if place.asset in chosen:
            amount = amounts.get(place)
            state, reason = _state(place, verdict, changing, amount)
            rate = rates.get((amount.step, place.domain or ALL_DOMAINS)) if amount else None
            seconds = None
            if amount is not None and amount.items is not None:
                if not amount.items:
                    seconds = 0.0
                elif rate is not None:
                    seconds = rate.seconds_for(amount.items, amount.weight)
            planned.append(
                PlannedAsset(
                    *place,
                    state,
                    reason,
                    amount.items if amount else None,
                    amount.is_estimate if amount else False,
                    seconds,
                    amount.finished if amount else {},
                )
            )
    return planned


def _changing(lineage: Lineage, verdicts: dict[Place, Verdict]) -> dict[Place, str | None]:
    """Every place that is not fresh (null), or that follows from one (which)."""
    found: dict[Place, str | None] = {}
    for place, verdict in verdicts.items():
        if verdict.state != "up to date":
            found[place] = None
        else:
            above = [one for one in lineage.all_parents(place) if one in found]
            if above:
                found[place] = found[above[0]] or above[0].asset
    return found


def _state(
    place: Place, verdict: Verdict, changing: dict[Place, str | None], amount: Amount | None
) -> tuple[State, str]:
    if verdict.is_missing:
        return "missing", "never built"
    if verdict.reasons:
        return "stale", "; ".join(verdict.reasons)
    if place in changing:
        return "follows", f"if {changing[place]} changes"
    if amount is not None and amount.items:
        return "incomplete", "items that may succeed now"
    return "up to date", ""
