"""What is missing or stale, per asset and domain, and what may be built now.

Belongs here: the one notion of staleness that automation, `emovid status`, `emovid plan` and `emovid build --only
stale` share, and the order in which stale things may be built. Does not belong here: Dagster's conditions
(`automation`), items (`plan`), the library and the annotation files (`sensors`, `status`).

A materialisation says what it was made from: its code version, the data version of each input (both Dagster's own tags)
and the digests of the settings (ours). It is stale where one of them is another now. Equal data has an equal version,
so a rebuild that changes nothing makes nothing stale, and a setting that is set back makes its assets fresh again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import dagster as dg

from emovid_assets.assets.partitions import DOMAINS
from emovid_assets.assets.table_asset import SETTINGS_TAG
from emovid_assets.home.settings_groups import GROUPS

VERSION_TAG, CODE_TAG = "dagster/data_version", "dagster/code_version"
INPUT_TAG = "dagster/input_data_version/"


class Place(NamedTuple):
    """An asset in a domain; `domain` is null for assets of all domains."""

    asset: str
    domain: str | None


@dataclass(frozen=True)
class Verdict:
    """`reasons`: why it is stale, each a sentence; none where it is fresh. `made`: the tags of its materialisation.

    `inputs` changes with everything that it would be made from now.
    """

    made: Mapping[str, str] | None
    reasons: tuple[str, ...]
    inputs: str

    @property
    def is_missing(self) -> bool:
        return self.made is None

    @property
    def state(self) -> str:
        if self.is_missing:
            return "missing"
        return f"stale: {'; '.join(self.reasons)}" if self.reasons else "up to date"


class Lineage:
    """The materialised assets of a graph as places. `graph` is any of Dagster's asset graphs."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self.names = [key.to_user_string() for key in graph.toposorted_asset_keys if graph.get(key).is_materializable]
        """In the order in which they are built."""
        self.is_partitioned = {name: bool(self._node(name).is_partitioned) for name in self.names}
        self.parents: dict[str, list[str]] = {}
        self.settings: dict[str, list[str]] = {}
        for name in self.names:
            above = sorted(key.to_user_string() for key in self._node(name).parent_keys)
            self.parents[name] = [parent for parent in above if parent in self.is_partitioned]
            self.settings[name] = [parent for parent in above if parent in GROUPS]

    def _node(self, name: str) -> Any:
        return self._graph.get(dg.AssetKey(name))

    def code_version(self, name: str) -> str | None:
        version: str | None = self._node(name).code_version
        return version

    def places(self, domains: Sequence[str] = DOMAINS) -> list[Place]:
        """Every place, in the order in which they are built."""
        return [place for name in self.names for place in self.places_of(name, domains)]

    def places_of(self, name: str, domains: Sequence[str] = DOMAINS) -> list[Place]:
        return [Place(name, domain) for domain in domains] if self.is_partitioned[name] else [Place(name, None)]

    def parents_of(self, place: Place) -> Iterator[tuple[str, list[Place]]]:
        """(asset, its places that the place is made from)."""
        for parent in self.parents[place.asset]:
            if self.is_partitioned[parent] and place.domain is not None:
                yield parent, [Place(parent, place.domain)]
            else:
                yield parent, self.places_of(parent)

    def all_parents(self, place: Place) -> list[Place]:
        return [one for _, places in self.parents_of(place) for one in places]


def verdicts(
    lineage: Lineage, instance: dg.DagsterInstance, settings: Mapping[str, str], domains: Sequence[str] = DOMAINS
) -> dict[Place, Verdict]:
    """The verdict on every place of the domains. `settings`: the digests as they are now."""
    # An asset of all domains looks at all of them, whatever is asked for.
    made = _made(lineage, instance)
    wanted = set(lineage.places(domains))
    return {place: _verdict(lineage, place, made, settings) for place in lineage.places() if place in wanted}


Tags = dict[str, str]

_remembered: dict[str, tuple[tuple[str, int], dict[Place, Tags | None]]] = {}
"""Per asset the tags of its places, as of its latest materialisation (run, number in the event log).

Materialisations carry pictures, and automation asks twice a minute: most of the time nothing has to be read again.
"""


def _made(lineage: Lineage, instance: dg.DagsterInstance) -> dict[Place, Tags | None]:
    """The tags of the latest materialisation of every place."""
    latest = {
        record.asset_entry.asset_key.to_user_string(): record.asset_entry.last_materialization_record
        for record in instance.get_asset_records([dg.AssetKey(name) for name in lineage.names])
    }
    made: dict[Place, Tags | None] = {}
    for name in lineage.names:
        record, places = latest.get(name), lineage.places_of(name)
        if record is None:
            made |= dict.fromkeys(places)
            continue
        moment = (record.run_id, record.storage_id)
        known = _remembered.get(name)
        if known is None or known[0] != moment:
            known = _remembered[name] = moment, {place: _latest_tags(instance, place) for place in places}
        made |= known[1]
    return made


def _latest_tags(instance: dg.DagsterInstance, place: Place) -> Tags | None:
    filters = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey(place.asset), asset_partitions=[place.domain] if place.domain else None
    )
    records = instance.fetch_materializations(filters, limit=1).records
    if not records or records[0].asset_materialization is None:
        return None
    return dict(records[0].asset_materialization.tags or {})


def _verdict(lineage: Lineage, place: Place, made: Mapping[Place, Tags | None], settings: Mapping[str, str]) -> Verdict:
    own = made[place]
    reasons = []
    # A key of the tag, and what it would be now.
    now: dict[str, str | None] = {CODE_TAG: lineage.code_version(place.asset)}
    if own is not None and now[CODE_TAG] is not None and own.get(CODE_TAG) != now[CODE_TAG]:
        reasons.append("its code has changed")
    for group in lineage.settings[place.asset]:
        now[f"{SETTINGS_TAG}{group}"] = settings[group]
        # Made before settings were noted: nothing is known of them.
        if own is not None and own.get(f"{SETTINGS_TAG}{group}", settings[group]) != settings[group]:
            reasons.append(f"{group} has changed")
    for parent, places in lineage.parents_of(place):
        # Dagster hashes the versions of partitions in the order of their names.
        version = _version(
            [made[one] for one in sorted(places, key=str)],
            is_partitioned=lineage.is_partitioned[parent],
        )
        now[f"{INPUT_TAG}{parent}"] = version
        if own is not None and version is not None and own.get(f"{INPUT_TAG}{parent}") != version:
            reasons.append(f"{parent} has changed")
    inputs = hashlib.sha256(repr(sorted(now.items())).encode()).hexdigest()[:16]
    return Verdict(own, tuple(reasons), inputs)


def _version(made: Iterable[Mapping[str, str] | None], *, is_partitioned: bool) -> str | None:
    """The version of an input as Dagster notes it: of partitions, a hash of theirs."""
    versions = [tags[VERSION_TAG] for tags in made if tags is not None and VERSION_TAG in tags]
    if not versions or not is_partitioned:
        return versions[0] if versions else None
    return hashlib.sha256("".join(versions).encode()).hexdigest()


class Walk:
    """Which places may be built now, asset by asset in the order of the lineage.

    `there`: what has been built before; `busy`: what a run is at. A run holds assets of one domain, or assets of all
    domains. So a place waits while something above it is busy, waits itself, or is begun now in another run: it is then
    built once, from all that is new. A place whose inputs do not exist is left alone; an asset of all domains is
    content with one domain of each input.
    """

    def __init__(self, lineage: Lineage, there: set[Place], busy: set[Place]) -> None:
        self._lineage, self._there, self._busy = lineage, there, busy
        self._started: set[Place] = set()
        self._unsettled: set[Place] = set()

    def started(self, asset: str, needs: set[Place]) -> list[Place]:
        """Places of the asset that may be built now: those of `needs`, and those that follow in the same run."""
        begun = []
        for place in self._lineage.places_of(asset):
            above = self._lineage.all_parents(place)
            in_other_run = [
                one for one in above if one in self._started and (one.domain is None) != (place.domain is None)
            ]
            in_this_run = [one for one in above if one in self._started and one not in in_other_run]
            if place in self._busy or in_other_run or any(one in self._unsettled for one in above):
                self._unsettled.add(place)
            elif (place in needs or in_this_run) and self._has_inputs(place):
                self._started.add(place)
                begun.append(place)
        return begun

    def _has_inputs(self, place: Place) -> bool:
        return all(
            any(one in self._there or one in self._started for one in places)
            for parent, places in self._lineage.parents_of(place)
            # Nothing asks for a root because it is missing, so what pools the domains cannot wait for one.
            if place.domain is not None or self._lineage.parents[parent]
        )
