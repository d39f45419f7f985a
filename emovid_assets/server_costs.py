"""What the answers of a server will cost, for the labels and captions that a build would ask for.

Belongs here: which clips are asked about, and what finished ones have cost. Does not belong here: the arithmetic
(`resources.endpoint_cost`), printing.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

from emovid_assets.layout import CaptionerSettings, Home, LabellerSettings
from emovid_assets.partitions import DOMAINS
from emovid_assets.plan import PlannedAsset
from emovid_assets.resources.endpoint_cost import Estimate, estimate
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables import each_row

One = TypeVar("One")
SAMPLE = 500
SERVED = '"backend": "endpoint"'
"""In the keys of what a server has answered (`resources.vlm`)."""
"""Finished clips and sizes, per domain, that means are taken over."""


def server_costs(home: Home, planned: Sequence[PlannedAsset]) -> dict[str, Estimate]:
    """`vlm_labels` and `captions` → cost, where a server answers and clips are left to ask about."""
    settings = home.settings()
    wanted: tuple[tuple[str, str, LabellerSettings | CaptionerSettings], ...] = (
        ("vlm_labels", "label", settings.labeller),
        ("captions", "caption", settings.captioner),
    )
    found = {}
    for asset, step, model in wanted:
        count = sum(one.items or 0 for one in planned if one.asset == asset)
        if model.backend == "endpoint" and count:
            found[asset] = estimate(model, count, _sizes(home), _finished(home, step))
    return found


def _sizes(home: Home) -> list[tuple[int, int]]:
    warehouse = Warehouse(home.warehouse)
    rows = (each_row(warehouse.read("clips", domain), ("width_px", "height_px")) for domain in DOMAINS)
    return [(row["width_px"], row["height_px"]) for row in _some(rows)]


def _finished(home: Home, step: str) -> list[dict[str, object]]:
    store = ItemStore(home.state)
    try:
        found = ((payload for _, (key, payload) in store.finished(step, domain) if SERVED in key) for domain in DOMAINS)
        return _some(found)
    finally:
        store.close()


def _some(domains: Iterable[Iterable[One]]) -> list[One]:
    return [one for rows in domains for one in islice(rows, SAMPLE)]
