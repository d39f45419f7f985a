"""What assets read against the graph: tables as they were last built, by themselves or by assets that come after them.

As inputs they would close a cycle. A change in them makes nothing stale, but `emovid build` takes it up, once a place
and build: each materialisation says at which versions it has looked.

Belongs here: every such reading, with its reason, which the UI shows at the asset. Does not belong here: inputs.
"""

from collections.abc import Mapping

import pyarrow as pa

from emovid_assets.resources.warehouse import OtherVersionError, content_hash
from emovid_assets.resources.workplace import Workplace
from emovid_assets.tables.registry import TABLES

_PUBLISHED = {"benchmark_split": "nothing learns from a clip that was published as benchmark"}

LOOKS_BACK: Mapping[str, Mapping[str, str]] = {
    "annotation_tasks": {
        "annotation_tasks": "tasks that are out stay out while their clip exists, however the library grows",
        "benchmark_split": "clips of the benchmark are reviewed a second time",
        "human_labels": "clips on which people disagree go to one more person",
    },
    "benchmark_split": {
        "benchmark_split": "a clip of the benchmark stays in it while it may, and no domain trains on the group of one"
    },
    "emotion_labeller": _PUBLISHED,
    "generated_videos": {
        "benchmark_split": "a video that is named by its prompt is of no use only where no domain has that prompt"
    },
    "labeller_answers": _PUBLISHED,
}
"""Asset → table → why it looks at the table as it was last built."""


TAG = "emovid.looked_back/"
"""Begins the tags of a materialisation that say which data version of a table it has looked back at."""


def last_built(project: Workplace, asset: str, table: str, domain: str) -> pa.Table:
    """The table of a domain as it is; empty before its first build. Which version that is, is noted by the project.

    Raises KeyError where `LOOKS_BACK` does not say that the asset looks back at it.
    """
    LOOKS_BACK[asset][table]
    try:
        rows = project.read(table, domain)
    except OtherVersionError:
        # It is made anew after this; waiting for it would be waiting for oneself.
        rows = TABLES[table].empty()
    # One that was never built holds as much as one that is empty.
    project.note(f"{TAG}{table}.{domain}", content_hash(rows))
    return rows


def seen_in(tag: str) -> tuple[str, str]:
    """(table, domain) that a tag speaks of."""
    table, _, domain = tag.removeprefix(TAG).partition(".")
    return table, domain


def told(asset: str) -> str | None:
    """What an asset looks back at and why, as Markdown; null where it looks back at nothing."""
    reasons = LOOKS_BACK.get(asset, {})
    return "\n".join(f"- `{table}` as it was last built: {reason}" for table, reason in reasons.items()) or None
