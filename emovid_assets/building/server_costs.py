"""What the answers of a server will cost, for the labels and captions that a build would ask for.

Belongs here: which clips are asked about, and which answers an estimate goes by. Does not belong here: the arithmetic
(`resources.endpoint_cost`), printing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from emovid_assets.building.plan import PlannedAsset
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import CaptionerSettings, LabellerSettings
from emovid_assets.resources.endpoint_cost import Estimate, estimate
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import each_row

SAMPLE = 500
"""Answers and sizes, per asset and domain, that means are taken over."""
LABELS = ("emotion_labeller", "vlm_labels")
"""Ask the same server in the same way."""


def server_costs(home: Home, planned: Sequence[PlannedAsset]) -> dict[str, Estimate]:
    """Asset → cost, where a server answers and clips are left to ask about."""
    settings = home.settings()
    wanted: tuple[tuple[tuple[str, ...], LabellerSettings | CaptionerSettings], ...] = (
        (LABELS, settings.labeller),
        (("captions",), settings.captioner),
    )
    found = {}
    for assets, model in wanted:
        if model.backend != "endpoint":
            continue
        finished = [payload for one in planned if one.asset in assets for payload in _some(one.finished.values())]
        for asset in assets:
            if count := sum(one.items or 0 for one in planned if one.asset == asset):
                found[asset] = estimate(model, count, _sizes(home), finished)
    return found


def _sizes(home: Home) -> list[tuple[int, int]]:
    warehouse = Warehouse(home.warehouse)
    rows = (each_row(warehouse.read("clips", domain), ("width_px", "height_px")) for domain in DOMAINS)
    return [(row["width_px"], row["height_px"]) for some in rows for row in _some(some)]


def _some(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    # A build that runs meanwhile may replace answers; those that were read are enough.
    with suppress(LookupError):
        yield from islice(rows, SAMPLE)
