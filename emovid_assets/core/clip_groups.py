"""Which clips must not be torn apart, over all domains at once.

Belongs here: what joins clips, what a group is called and why a clip is in it (`group_rows`), and which domain may use
a group of several (`ClipGroups`). Does not belong here: when two clips are near-duplicates (`near_duplicates`), what is
done with groups (`splits`, `training_pool`), tables.

Clips are joined, transitively (ADR 31), by
- `source`: one source video;
- `film`: source videos of one film, by `film_key`;
- `same_bytes`: source videos of the same bytes, which in two domains are two sources, or clip files of the same bytes;
- `near_duplicate`: clips that look the same, whatever domain they are of.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.near_duplicates import HASHES, Indices, Limits, Looks, joined, near_sets

VERSION = "1"
REASONS = ("source", "film", "same_bytes", "near_duplicate")
"""In the order in which they are tried."""
LARGE_SHARE, LARGE_COUNT = 0.01, 5
"""A group with more than this share of a domain deserves a look, unless it is a few copies in a small library."""

LIKENESS = Limits(max_bits=4, max_colour=24 / 255, min_contrast_frames=2, max_unlike=0.25)
"""For difference hashes and `colour.mean_colour` of clips. Two frames of three: a clip that fades from black is found.

Measured on the public corpus (ADR 31; `benchmarks.near_duplicates`): different stickers come as near as 6 bits, and
there colours do not tell them apart; drawn ones on an empty ground, of few bits, come as near as 4. A copy that is
missed may leak, different clips that are joined are only kept together: so the limits stand where those begin.
"""

Row = Mapping[str, Any]


def film_key(film_id: str | None) -> str | None:
    """What films are compared by: manifests of two domains may write one id in two ways. Null where there is none.

    Turkish writes a capital i with its dot, which stays behind as a character of its own in lower case.
    """
    return " ".join(film_id.split()).casefold().replace("i\u0307", "i") or None if film_id else None


def group_rows(clips: Iterable[Row], *, limits: Limits = LIKENESS) -> list[dict[str, Any]]:
    """Rows of `clip_groups`, in the order of the clips.

    `clips` have clip_id, source_id, domain, film_id (or None), source_sha256 and clip_sha256 (or None), frame_hashes
    (first, middle and last frame, 16 hex digits each) and mean_colour (`colour.mean_colour`, or None). A clip without
    three hashes or without a colour resembles none.

    `group_id` is `g-` and the smallest source id of the group; `twins_id` is `t-` and the smallest id of the clips that
    show the same, by bytes or looks, whatever film they are of. `reason` is the first of `REASONS` that, added to those
    before it, joins the clip with the source that its group is named after.

    Raises ValueError for a hash that is not 16 hex digits.
    """
    known = list(clips)
    alone = np.arange(len(known))
    source = _joined_by(alone, [clip["source_id"] for clip in known])
    film = _joined_by(source, [film_key(clip["film_id"]) for clip in known])
    same_bytes = _joined_by_bytes(film, known)
    group = _joined_by_looks(same_bytes, known, limits)
    first = _first_of(group, [clip["source_id"] for clip in known])
    founder = {known[place]["source_id"]: place for place in range(len(known))}

    twins = _joined_by_looks(_joined_by_bytes(alone, known), known, limits)
    first_twin = _first_of(twins, [clip["clip_id"] for clip in known])
    rows = []
    for place, clip in enumerate(known):
        named_after = founder[first[group[place]]]
        reason = next(
            name
            for name, sets in zip(REASONS, (source, film, same_bytes, group), strict=True)
            if sets[place] == sets[named_after]
        )
        rows.append(
            {
                "clip_id": clip["clip_id"],
                "domain": clip["domain"],
                "group_id": f"g-{first[group[place]]}",
                "reason": reason,
                "twins_id": f"t-{first_twin[twins[place]]}",
            }
        )
    return rows


def _joined_by(sets: Indices, values: Sequence[Hashable]) -> Indices:
    """The sets, where what has one value that is no null is joined."""
    first_of: dict[Hashable, int] = {}
    named = [place for place, value in enumerate(values) if value is not None]
    firsts = [first_of.setdefault(values[place], place) for place in named]
    return joined(sets, np.array(named, np.intp), np.array(firsts, np.intp))


def _joined_by_bytes(sets: Indices, clips: Sequence[Row]) -> Indices:
    """Source videos of the same bytes, as far as they are several sources: their clips show the same, cut or whole."""
    sources: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        if clip["source_sha256"]:
            sources[clip["source_sha256"]].add(clip["source_id"])
    shared = {sha256 for sha256, owners in sources.items() if len(owners) > 1}
    sets = _joined_by(sets, [clip["source_sha256"] if clip["source_sha256"] in shared else None for clip in clips])
    return _joined_by(sets, [clip["clip_sha256"] or None for clip in clips])


def _joined_by_looks(sets: Indices, clips: Sequence[Row], limits: Limits) -> Indices:
    seen = [
        place
        for place, clip in enumerate(clips)
        if len(clip["frame_hashes"] or ()) == HASHES and clip["mean_colour"] is not None
    ]
    looks = Looks.of((clips[place]["frame_hashes"] for place in seen), (clips[place]["mean_colour"] for place in seen))
    return near_sets(looks, limits, np.array(seen, np.intp), sets)


def _first_of(sets: Indices, names: Sequence[str]) -> dict[int, str]:
    """The smallest name of each set."""
    first: dict[int, str] = {}
    for number, name in zip(sets.tolist(), names, strict=True):
        if number not in first or name < first[number]:
            first[number] = name
    return first


@dataclass(frozen=True)
class ClipGroups:
    """The groups as splits and labellers ask for them: clip id → group, clip id → twins, clip id → domain.

    `home_of`: group → domain of a group that has clips of several domains. Only there may clips of it be drawn for the
    benchmark or trained on; elsewhere they are copies, and unused. So each domain can be split without asking what
    another one draws. It is the domain with the most clips of the group, on a tie the first of `DOMAINS`.
    """

    group_of: Mapping[str, str]
    twins_of: Mapping[str, str]
    domain_of: Mapping[str, str]
    home_of: Mapping[str, str]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "ClipGroups":
        """From rows of `clip_groups`."""
        group_of, twins_of, domain_of = {}, {}, {}
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            clip_id = row["clip_id"]
            group_of[clip_id], twins_of[clip_id], domain_of[clip_id] = row["group_id"], row["twins_id"], row["domain"]
            counts[row["group_id"]][row["domain"]] += 1
        home_of = {
            group: min(found, key=lambda domain: (-found[domain], DOMAINS.index(domain)))
            for group, found in counts.items()
            if len(found) > 1
        }
        return cls(group_of, twins_of, domain_of, home_of)

    def groups_of(self, clip_ids: Iterable[str]) -> set[str]:
        """Of the clips that are known."""
        return {self.group_of[clip_id] for clip_id in clip_ids if clip_id in self.group_of}


@dataclass(frozen=True)
class GroupSize:
    """How much of a domain its largest group holds."""

    domain: str
    group_id: str
    clip_count: int
    domain_clip_count: int

    @property
    def share(self) -> float:
        return self.clip_count / self.domain_clip_count


def largest_groups(rows: Iterable[Row]) -> list[GroupSize]:
    """The largest group of each domain that has clips, in the order of `DOMAINS`; on a tie the first by id."""
    sizes = _sizes(rows)
    return [
        min((size for size in sizes if size.domain == domain), key=lambda size: (-size.clip_count, size.group_id))
        for domain in DOMAINS
        if any(size.domain == domain for size in sizes)
    ]


def suspicious_groups(rows: Sequence[Row]) -> list[GroupSize]:
    """Large groups that looks or bytes have joined, the one with the largest share of its domain first.

    A film or a source of many clips is large by nature; many clips that only look alike may be different ones.
    """
    joined_late = {row["group_id"] for row in rows if row["reason"] in ("same_bytes", "near_duplicate")}
    large = (size for size in _sizes(rows) if size.share > LARGE_SHARE and size.clip_count >= LARGE_COUNT)
    return sorted(
        (size for size in large if size.group_id in joined_late),
        key=lambda size: (-size.share, size.domain, size.group_id),
    )


def _sizes(rows: Iterable[Row]) -> list[GroupSize]:
    counts: Counter[tuple[str, str]] = Counter((row["domain"], row["group_id"]) for row in rows)
    of_domain: Counter[str] = Counter()
    for (domain, _), count in counts.items():
        of_domain[domain] += count
    return [GroupSize(domain, group, count, of_domain[domain]) for (domain, group), count in counts.items()]
