"""What a build would do, before anything runs: which assets of which domain, why, how many items, about how long.

Belongs here: states together with the numbers of items (`counting`). Does not belong here: what is stale (`staleness`),
how a plan is printed (`cli`). Nothing is decoded, no model is loaded, nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from emovid_assets.building.looking import look, names_of
from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.amounts import Amount, amounts_of
from emovid_assets.freshness.staleness import Place, Verdict, changing
from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.workplace import ALL_DOMAINS

State = Literal["missing", "stale", "looks back", "follows", "incomplete", "up to date"]


@dataclass(frozen=True)
class PlannedAsset:
    """An asset in a domain. `items` is null where it computes none, or nobody can say how many.

    `looks back`: fresh, but it looks at what comes after it, which has changed. `follows`: fresh, but made from
    something that is to be built, so stale if that comes out different. `incomplete`: fresh, but items are missing,
    because they failed for a reason that may pass. `seconds`: of the items, by the last
    time that the step ran in this domain; null where it never has. `finished`: payloads of the items that are done
    under the present settings.
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
    chosen = None if selection is None else names_of(selection)
    found = look(home, domains)
    verdicts, changing_places = found.verdicts, changing(found.lineage, found.verdicts)
    amounts = amounts_of(home, found.lineage, verdicts, domains, found.kept)
    found.kept.save()
    store = ItemStore.to_read(home.state)
    try:
        rates = store.rates()
    finally:
        store.close()
    planned = []
    for place, verdict in verdicts.items():
        if chosen is None or place.asset in chosen:
            amount = amounts.get(place)
            state, reason = _state(place, verdict, changing_places, amount)
            rate = rates.get((amount.step, place.domain or ALL_DOMAINS)) if amount else None
            seconds = None
            if amount is not None and amount.items is not None:
                if not amount.items:
                    seconds = 0.0
                elif amount.seconds is not None:
                    seconds = amount.seconds
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


def _state(
    place: Place, verdict: Verdict, open_places: Mapping[Place, str | None], amount: Amount | None
) -> tuple[State, str]:
    if verdict.is_missing:
        return "missing", "never built"
    if verdict.reasons:
        return "stale", "; ".join(verdict.reasons)
    if verdict.looks_back_at:
        have = "has" if len(verdict.looks_back_at) == 1 else "have"
        return "looks back", f"at {', '.join(verdict.looks_back_at)}, which {have} changed since"
    if place in open_places:
        return "follows", f"if {open_places[place]} changes"
    if amount is not None and amount.items:
        return "incomplete", "items that may succeed now"
    return "up to date", ""
