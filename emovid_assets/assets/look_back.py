"""What assets read against the graph: tables as they were last built, by themselves or by assets that come after them.

As inputs they would close a cycle. What they say takes effect with the next build; a change in them makes nothing
stale.

Belongs here: every such reading, with its reason, which the UI shows at the asset. Does not belong here: inputs.
"""

from collections.abc import Mapping

import pyarrow as pa

from emovid_assets.resources.project import Project

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
    "labeller_answers": _PUBLISHED,
}
"""Asset → table → why it looks at the table as it was last built."""


def last_built(project: Project, asset: str, table: str, domain: str) -> pa.Table:
    """The table of a domain as it is; empty before its first build.

    Raises KeyError where `LOOKS_BACK` does not say that the asset looks back at it.
    """
    LOOKS_BACK[asset][table]
    return project.read(table, domain)


def told(asset: str) -> str | None:
    """What an asset looks back at and why, as Markdown; null where it looks back at nothing."""
    reasons = LOOKS_BACK.get(asset, {})
    return "\n".join(f"- `{table}` as it was last built: {reason}" for table, reason in reasons.items()) or None
