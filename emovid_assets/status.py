"""What is missing, stale or quarantined, per asset and domain.

Belongs here: reading it from the instance, the warehouse and the library. Nothing is changed.

An asset is stale where its code version is another than the one that made it, where the content of something
it was made from has changed since (by data version, so a rebuild with equal content makes nothing stale),
or, for the sources and the annotations, where the files in the library are no longer what was read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from emovid_assets.assets.annotations import read_answers
from emovid_assets.build import build_defs
from emovid_assets.layout import Home
from emovid_assets.partitions import DOMAINS
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library import media_paths
from emovid_assets.resources.media import STEP_ASSETS
from emovid_assets.resources.warehouse import Warehouse, content_hash
from emovid_assets.runner import open_instance
from emovid_assets.tables import TABLES

VERSION_TAG, CODE_TAG = "dagster/data_version", "dagster/code_version"
ANSWER_TABLES = ("human_annotations", "rejected_annotations")


@dataclass(frozen=True)
class AssetState:
    """`state` is `missing`, `up to date`, or what makes it stale; `domain` is null for unpartitioned assets."""

    asset: str
    domain: str | None
    rows: int | None
    quarantined: int
    state: str


def asset_states(home: Home, domains: Sequence[str] = DOMAINS) -> list[AssetState]:
    """States in the order in which assets are built."""
    graph = build_defs().resolve_asset_graph()
    quarantined = _quarantined(home, domains)
    with open_instance(home) as instance:
        history = _History(instance)
        states = []
        for key in graph.toposorted_asset_keys:
            node = graph.get(key)
            for domain in domains if node.is_partitioned else (None,):
                made = history.latest(key, domain)
                state = "missing" if made is None else _stale_reason(graph, history, node, domain, made)
                name = key.to_user_string()
                if name == "source_videos" and state is None and _library_changed(home, str(domain)):
                    state = "stale: the library has changed"
                if name in ANSWER_TABLES and made and state is None and _answers_changed(home, str(domain), name, made):
                    state = "stale: the annotation files have changed"
                rows = Warehouse(home.warehouse).row_count(name, domain) if name in TABLES else None
                count = quarantined.get((name, domain), 0)
                states.append(AssetState(name, domain, rows, count, state or "up to date"))
    return states


class _History:
    """Materialisations of an instance."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance

    def latest(self, key: dg.AssetKey, domain: str | None, before: float | None = None) -> Any:
        filters = dg.AssetRecordsFilter(
            asset_key=key, asset_partitions=[domain] if domain else None, before_timestamp=before
        )
        records = self._instance.fetch_materializations(filters, limit=1).records
        return records[0] if records else None


def _tags(record: Any) -> dict[str, str]:
    return dict(record.asset_materialization.tags or {})


def _stale_reason(graph: Any, history: _History, node: Any, domain: str | None, made: Any) -> str | None:
    if node.code_version is not None and _tags(made).get(CODE_TAG) != node.code_version:
        return "stale: its code has changed"
    for parent in sorted(node.parent_keys):
        for name in _parent_domains(graph.get(parent), domain):
            now = history.latest(parent, name)
            then = history.latest(parent, name, before=made.timestamp)
            if now is None or now.timestamp <= made.timestamp:
                continue
            if then is None or _tags(then).get(VERSION_TAG) != _tags(now).get(VERSION_TAG):
                return f"stale: {parent.to_user_string()} has changed"
    return None


def _parent_domains(parent: Any, domain: str | None) -> Iterator[str | None]:
    if not parent.is_partitioned:
        yield None
    elif domain is None:
        yield from DOMAINS
    else:
        yield domain


def _quarantined(home: Home, domains: Sequence[str]) -> dict[tuple[str, str | None], int]:
    counts: dict[tuple[str, str | None], int] = {}
    store = ItemStore(home.state)
    try:
        for domain in domains:
            for failure in store.failures(domain):
                place = (STEP_ASSETS[failure.step], domain)
                counts[place] = counts.get(place, 0) + 1
    finally:
        store.close()
    return counts


def _library_changed(home: Home, domain: str) -> bool:
    """Whether a file is new, gone, or of another size or time than when it was read."""
    store = ItemStore(home.state)
    try:
        prefix = f"{home.relative(home.library / domain)}/"
        known = {path: fact[:2] for path, fact in store.known_hashes().items() if path.startswith(prefix)}
    finally:
        store.close()
    folder = home.library / domain
    present = {}
    for path in media_paths(folder) if folder.is_dir() else ():
        if path.exists():
            status = path.stat()
            present[home.relative(path)] = (status.st_size, status.st_mtime_ns)
    return present != known


def _answers_changed(home: Home, domain: str, table: str, made: Any) -> bool:
    """Whether the files in `library/annotations/` now give other rows than they did."""
    accepted, rejected = read_answers(home, domain, Warehouse(home.warehouse).read("clips", domain))
    rows = TABLES[table].from_rows(accepted if table == "human_annotations" else rejected)
    return content_hash(rows) != _tags(made).get(VERSION_TAG)
