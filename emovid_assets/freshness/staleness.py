"""What is missing or stale, per asset and domain, and what may be built now.

Belongs here: the one notion of staleness that automation, `emovid status`, `emovid plan` and `emovid build` share, and
the order in which stale things may be built. Does not belong here: where materialisations are read (`records`,
`sqlite_records`), Dagster's conditions (`automation`), items (`plan`), files (`needs`). Needs no Dagster.

A materialisation says what it was made from: its code version, the data version of each input (both Dagster's own tags)
and the digests of the settings (ours). It is stale where one of them is another now. Equal data has an equal version,
so a rebuild that changes nothing makes nothing stale, and a setting that is set back makes its assets fresh again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from emovid_assets.assets.domain_parts import PART_TAG, SEEN_TAG
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.settings_groups import GROUPS, SETTINGS_TAG
from emovid_assets.resources.item_store import FailedRun

VERSION_TAG, CODE_TAG = "dagster/data_version", "dagster/code_version"
INPUT_TAG = "dagster/input_data_version/"


class Place(NamedTuple):
    """An asset in a domain; `domain` is null for assets of all domains."""

    asset: str
    domain: str | None


def place_of(failed: FailedRun) -> Place:
    return Place(failed.asset, failed.domain)


@dataclass(frozen=True)
class Verdict:
    """`reasons`: why it is stale, each a sentence; none where it is fresh. `made`: the tags of its materialisation.

    `inputs` changes with everything that it would be made from now. `looks_back_at`: what it looks back at and is
    another now than when it was made: that makes nothing stale, but the next build takes it up.
    """

    made: Mapping[str, str] | None
    reasons: tuple[str, ...]
    inputs: str
    looks_back_at: tuple[str, ...] = ()

    @property
    def is_missing(self) -> bool:
        return self.made is None

    @property
    def state(self) -> str:
        if self.is_missing:
            return "missing"
        return f"stale: {'; '.join(self.reasons)}" if self.reasons else "up to date"

    @property
    def is_fresh(self) -> bool:
        return self.made is not None and not self.reasons


@dataclass(frozen=True)
class Lineage:
    """The materialised assets of a graph as places, in plain values: they can be kept in a file."""

    names: list[str]
    """In the order in which they are built."""
    is_partitioned: dict[str, bool]
    parents: dict[str, list[str]]
    settings: dict[str, list[str]]
    """Groups of settings that an asset reads."""
    code_versions: dict[str, str | None]
    blocking_checks: dict[str, list[str]]

    @classmethod
    def of(cls, graph: Any) -> "Lineage":
        """`graph` is any of Dagster's asset graphs."""
        nodes = {key.to_user_string(): graph.get(key) for key in graph.toposorted_asset_keys}
        names = [name for name, node in nodes.items() if node.is_materializable]
        above = {name: sorted(key.to_user_string() for key in nodes[name].parent_keys) for name in names}
        blocking: dict[str, list[str]] = {name: [] for name in names}
        for key in sorted(graph.asset_check_keys):
            if graph.get(key).blocking:
                blocking[key.asset_key.to_user_string()].append(key.name)
        return cls(
            names,
            {name: bool(nodes[name].is_partitioned) for name in names},
            {name: [parent for parent in above[name] if parent in names] for name in names},
            {name: [parent for parent in above[name] if parent in GROUPS] for name in names},
            {name: nodes[name].code_version for name in names},
            blocking,
        )

    def places(self, domains: Sequence[str] = DOMAINS) -> list[Place]:
        """Every place, in the order in which they are built."""
        return [place for name in self.names for place in self.places_of(name, domains)]

    def has(self, place: Place) -> bool:
        return self.is_partitioned.get(place.asset) == (place.domain is not None)

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


Tags = dict[str, str]


@dataclass(frozen=True)
class Records:
    """What Dagster remembers. `made`: the tags of the latest materialisation of every place, null where there is none.

    `unbuilt`: places that a run was to build, and neither that run nor a later one has built: it failed, was cancelled,
    was killed, or is not there yet. `stopped_by`: the blocking checks of a place that did not hold, or were not made,
    the last time that they were to be. `unresolved`: of the failures that were noted when they happened, those whose
    place has not been built since.
    """

    made: Mapping[Place, Tags | None]
    unbuilt: frozenset[Place] = frozenset()
    stopped_by: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    unresolved: tuple[FailedRun, ...] = ()


def verdicts(
    lineage: Lineage,
    made: Mapping[Place, Tags | None],
    settings: Mapping[str, str],
    domains: Sequence[str] = DOMAINS,
) -> dict[Place, Verdict]:
    """The verdict on every place of the domains. `made`: the tags of the latest materialisation of every place of the
    lineage, null where there is none; `settings`: the digests as they are now."""
    # An asset of all domains looks at all of them, whatever is asked for.
    wanted = set(lineage.places(domains))
    return {place: _verdict(lineage, place, made, settings) for place in lineage.places() if place in wanted}


def _verdict(lineage: Lineage, place: Place, made: Mapping[Place, Tags | None], settings: Mapping[str, str]) -> Verdict:
    own = made[place]
    reasons = []
    # A key of the tag, and what it would be now.
    now: dict[str, str | None] = {CODE_TAG: lineage.code_versions[place.asset]}
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
        tag = f"{INPUT_TAG}{parent}"
        if own is not None and (part := _part(place, own, parent, places, made)):
            # Of a table of all domains it was given what concerns its own.
            tag, version = f"{SEEN_TAG}{parent}", part
        now[tag] = version
        if own is not None and version is not None and own.get(tag) != version:
            reasons.append(f"{parent} has changed")
    inputs = hashlib.sha256(repr(sorted(now.items())).encode()).hexdigest()[:16]
    return Verdict(own, tuple(reasons), inputs)


def _part(
    place: Place, own: Tags, parent: str, places: Sequence[Place], made: Mapping[Place, Tags | None]
) -> str | None:
    """The version of the part of a table that concerns the domain; null where either of both does not know of parts."""
    if f"{SEEN_TAG}{parent}" not in own or len(places) != 1:
        return None
    return (made[places[0]] or {}).get(f"{PART_TAG}{place.domain}")


def _version(made: Iterable[Mapping[str, str] | None], *, is_partitioned: bool) -> str | None:
    """The version of an input as Dagster notes it: of partitions, a hash of theirs."""
    versions = [tags[VERSION_TAG] for tags in made if tags is not None and VERSION_TAG in tags]
    if not versions or not is_partitioned:
        return versions[0] if versions else None
    return hashlib.sha256("".join(versions).encode()).hexdigest()


def changing(lineage: Lineage, found: Mapping[Place, Verdict]) -> dict[Place, str | None]:
    """Every place that is not fresh (null), or that follows from one (which)."""
    places: dict[Place, str | None] = {}
    for place, verdict in found.items():
        if not verdict.is_fresh:
            places[place] = None
        else:
            above = [one for one in lineage.all_parents(place) if one in places]
            if above:
                places[place] = places[above[0]] or above[0].asset
    return places


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
