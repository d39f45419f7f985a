"""Benchmark, training and unused clips, without leaks.

Belongs here: which clips belong together (`group_clips`), which clips become benchmark or training (`split_clips`),
and the proof that no group is on both sides (`leaks`). Does not belong here: hashing frames, files, tables.

A *group* is what must not be torn apart: clips of one source video, of one film, or near-duplicates, transitively.

How the benchmark is drawn (SPEC §6; requirement R28). Every group with a benchmark clip is lost to training, which
pulls two ways: many groups make a diverse benchmark, few leave something to train on. In this order:
1. Diversity. Human-labelled clips are visited by (position within their group and emotion, keyed rank): one clip of
   each group before a second. A clip is taken while its cell has room and the benchmark's groups together hold at
   most `held_out_share` of the domain's labelled clips. In a large library this alone fills every cell.
2. Completeness. Cells that are still short open further groups, the one that fills most places first (on a tie the
   one with the fewest clips, then the lowest rank), until a cell has its clips or there are none left.
So a cell takes what there is, as SPEC asks, even where nothing is left to train on; a library too small for both
sets `per_cell` lower. Clips in new groups move a benchmark clip only where they have a lower rank in a full cell or
change step 2; `already_benchmark` keeps a published benchmark as it is.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from emovid_assets.core.identity import keyed_rank

Row = dict[str, Any]

PER_CELL = 10
TRAIN_LIMIT: Mapping[str, int] = {"movie": 8000}
"""Most training clips of a domain (requirement R30); a domain that is not here has no limit."""
HELD_OUT_SHARE = 0.25

HASH_BITS = 64
HASHES_PER_CLIP = 3
MAX_BITS = 4
MIN_SET_BITS, MAX_SET_BITS = 6, 58
"""A hash outside these limits comes from a flat frame: black, white, a fade. All such frames look alike."""
MIN_CONTRAST_FRAMES = 2

_MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
"""Odd multipliers that fold three hashes into one sort key."""


def group_clips(rows: Iterable[Mapping[str, Any]], *, max_bits: int = MAX_BITS) -> dict[str, str]:
    """Group id of each clip id: `g-` + the smallest source id of the group.

    Rows have clip_id, source_id, film_id (or None) and frame_hashes (first, middle and last frame, 16 hex digits
    each). Two clips are near-duplicates where each of the three hashes differs in at most `max_bits` of 64 bits and
    at least two of the three frame pairs have contrast, so that clips that fade from black are still found while
    black ones do not match each other. A clip without three hashes is grouped by source and film only.

    Raises ValueError for a hash that is not 16 hex digits and for `max_bits` outside 0 to 15.
    """
    if not 0 <= max_bits <= 15:
        raise ValueError(f"max_bits is {max_bits}: give 0 to 15; unrelated frames differ in about 32 of 64 bits.")
    clips = list(rows)
    sets = _DisjointSets(len(clips))
    first_of: dict[tuple[str, str], int] = {}
    for index, clip in enumerate(clips):
        sets.join(index, first_of.setdefault(("source", clip["source_id"]), index))
        if clip["film_id"]:
            sets.join(index, first_of.setdefault(("film", clip["film_id"]), index))
    hashed = [index for index, clip in enumerate(clips) if len(clip["frame_hashes"] or ()) == HASHES_PER_CLIP]
    if hashed:
        hashes = [[_hash(text) for text in clips[index]["frame_hashes"]] for index in hashed]
        _join_near_duplicates(sets, np.array(hashed), np.array(hashes, dtype=np.uint64), max_bits)

    smallest: dict[int, str] = {}
    for index, clip in enumerate(clips):
        root = sets.root(index)
        smallest[root] = min(smallest.get(root, clip["source_id"]), clip["source_id"])
    return {clip["clip_id"]: f"g-{smallest[sets.root(index)]}" for index, clip in enumerate(clips)}


def split_clips(
    labelled: Iterable[Mapping[str, Any]],
    *,
    per_cell: int = PER_CELL,
    train_limit: Mapping[str, int] = TRAIN_LIMIT,
    held_out_share: float = HELD_OUT_SHARE,
    seed: str = "emovid",
    already_benchmark: Collection[str] = frozenset(),
    failed_reviews: Collection[str] = frozenset(),
) -> list[Row]:
    """Rows of `benchmark_split` but for first_frame_path, sorted by clip.

    `labelled` have clip_id, domain, emotion, label_source, group_id and caption (may be None). Benchmark: per domain
    and emotion up to `per_cell` human-labelled clips, drawn as the module says; `already_benchmark` come first.
    Training: clips whose group has no benchmark clip, by keyed rank up to the domain's limit. The rest is unused, and
    so are `failed_reviews`, whatever else holds for them: a disputed label is neither tested nor taught.
    """
    clips = list(labelled)
    by_domain = _by_domain(clips)
    benchmark = draw_benchmark(
        clips,
        per_cell=per_cell,
        held_out_share=held_out_share,
        seed=seed,
        already_benchmark=already_benchmark,
        failed_reviews=failed_reviews,
    )
    held_out = {clip["group_id"] for clip in clips if clip["clip_id"] in benchmark}
    train: set[str] = set()
    for domain, members in by_domain.items():
        free = [
            clip["clip_id"]
            for clip in members
            if clip["group_id"] not in held_out and clip["clip_id"] not in failed_reviews
        ]
        free.sort(key=lambda clip_id: (keyed_rank(clip_id, f"{seed}/train"), clip_id))
        train.update(free[: train_limit.get(domain)])

    def split_of(clip_id: str) -> str:
        if clip_id in benchmark:
            return "benchmark"
        return "train" if clip_id in train else "unused"

    rows = [
        {
            "clip_id": clip["clip_id"],
            "domain": clip["domain"],
            "split": split_of(clip["clip_id"]),
            "emotion": clip["emotion"],
            "label_source": clip["label_source"],
            "group_id": clip["group_id"],
            "prompt": prompt_of(clip["caption"], clip["emotion"]),
        }
        for clip in clips
    ]
    return sorted(rows, key=lambda row: row["clip_id"])


def draw_benchmark(
    labelled: Iterable[Mapping[str, Any]],
    *,
    per_cell: int = PER_CELL,
    held_out_share: float = HELD_OUT_SHARE,
    seed: str = "emovid",
    already_benchmark: Collection[str] = frozenset(),
    failed_reviews: Collection[str] = frozenset(),
) -> set[str]:
    """The clip ids of the benchmark alone, as `split_clips` draws it; `labelled` need no caption.

    Of clips that people did not label only their number and their groups matter, not their emotion.
    """
    benchmark: set[str] = set()
    for members in _by_domain(labelled).values():
        benchmark |= _draw_benchmark(
            members, per_cell, held_out_share, f"{seed}/benchmark", already_benchmark, failed_reviews
        )
    return benchmark


def prompt_of(caption: str | None, emotion: str) -> str:
    """The caption and the sentence that names the emotion (requirement R29); the sentence alone without a caption."""
    sentence = f'The video is in the "{emotion}" emotion.'
    return f"{caption} {sentence}" if caption and caption.strip() else sentence


def leaks(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Groups with clips in both benchmark and train, sorted. Rows have split and group_id."""
    groups: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        groups[row["split"]].add(row["group_id"])
    return sorted(groups["benchmark"] & groups["train"])


def _by_domain(clips: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    by_domain: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for clip in clips:
        by_domain[clip["domain"]].append(clip)
    return by_domain


def _draw_benchmark(
    clips: Sequence[Mapping[str, Any]],
    per_cell: int,
    held_out_share: float,
    seed: str,
    already: Collection[str],
    failed_reviews: Collection[str],
) -> set[str]:
    """Benchmark clip ids of one domain."""
    group_sizes: dict[str, int] = defaultdict(int)
    for clip in clips:
        group_sizes[clip["group_id"]] += 1
    room: dict[str, int] = defaultdict(lambda: per_cell)
    budget = held_out_share * len(clips)
    opened: set[str] = set()
    chosen: set[str] = set()

    def take(clip: Mapping[str, Any]) -> None:
        nonlocal budget
        if clip["group_id"] not in opened:
            opened.add(clip["group_id"])
            budget -= group_sizes[clip["group_id"]]
        chosen.add(clip["clip_id"])
        room[clip["emotion"]] -= 1

    candidates = [clip for clip in clips if clip["label_source"] == "human" and clip["clip_id"] not in failed_reviews]
    ordered = _spread_over_groups(candidates, seed)
    kept = [clip for clip in ordered if clip["clip_id"] in already]
    others = [clip for clip in ordered if clip["clip_id"] not in already]
    for clip in kept:
        if room[clip["emotion"]] > 0:
            take(clip)
    passed_over: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for clip in others:
        if room[clip["emotion"]] <= 0:
            continue
        if clip["group_id"] in opened or group_sizes[clip["group_id"]] <= budget:
            take(clip)
        else:
            passed_over[clip["group_id"]].append(clip)

    # Groups come in the order of their best clip, and max() keeps the first of equals: the lowest rank wins ties.
    while passed_over:
        gains = {group: _fitting(members, room) for group, members in passed_over.items()}
        best = max(gains, key=lambda group: (len(gains[group]), -group_sizes[group]))
        if not gains[best]:
            break
        for clip in gains[best]:
            take(clip)
        del passed_over[best]
    return chosen


def _spread_over_groups(clips: Iterable[Mapping[str, Any]], seed: str) -> list[Mapping[str, Any]]:
    """Per emotion, every group's lowest-ranked clip first, then every group's second; by rank within each round."""
    by_cell: dict[tuple[str, str], list[tuple[int, str, Mapping[str, Any]]]] = defaultdict(list)
    for clip in clips:
        rank = keyed_rank(clip["clip_id"], seed)
        by_cell[clip["group_id"], clip["emotion"]].append((rank, clip["clip_id"], clip))
    rounds = [
        (position, rank, clip_id, clip)
        for members in by_cell.values()
        for position, (rank, clip_id, clip) in enumerate(sorted(members, key=lambda member: member[:2]))
    ]
    return [clip for _, _, _, clip in sorted(rounds, key=lambda entry: entry[:3])]


def _fitting(clips: Sequence[Mapping[str, Any]], room: Mapping[str, int]) -> list[Mapping[str, Any]]:
    """The clips, in order, that the cells have room for."""
    left: dict[str, int] = {}
    fitting = []
    for clip in clips:
        places = left.get(clip["emotion"], room[clip["emotion"]])
        if places > 0:
            fitting.append(clip)
            left[clip["emotion"]] = places - 1
    return fitting


def _hash(text: str) -> int:
    if len(text) == HASH_BITS // 4:
        try:
            return int(text, 16)
        except ValueError:
            pass
    raise ValueError(f"'{text}' is no frame hash: it should have 16 hex digits; compute the clip's features again.")


def _join_near_duplicates(
    sets: "_DisjointSets", members: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64], max_bits: int
) -> None:
    """Joins members whose row in `hashes` (members x 3) is near; those that are in one set are not compared.

    At most `max_bits` differing bits leave at least one of `max_bits` + 1 bands of a hash untouched. So
    near-duplicates share a band in each of the three hashes: sorting by every choice of three bands brings them
    side by side, and only rows with equal bands are compared.
    """
    contrast = _has_contrast(hashes)
    usable = contrast.sum(axis=1) >= MIN_CONTRAST_FRAMES
    members, hashes, contrast = members[usable], hashes[usable], contrast[usable]
    for masks in product(_bands(max_bits + 1), repeat=HASHES_PER_CLIP):
        # Two different triples of bands may share a key: that costs a comparison, and nothing is missed.
        keys = np.bitwise_xor.reduce((hashes & np.array(masks, dtype=np.uint64)) * _MIXERS, axis=1)
        roots = sets.roots()[members]
        order, run = _open_runs(keys, roots)
        step = 0
        while (start := np.flatnonzero(run[step + 1 :] == run[: len(run) - step - 1])).size:
            step += 1
            one, other = order[start], order[start + step]
            is_apart = roots[one] != roots[other]
            one, other = one[is_apart], other[is_apart]
            is_near = (np.bitwise_count(hashes[one] ^ hashes[other]) <= max_bits).all(axis=1)
            is_near &= (contrast[one] & contrast[other]).sum(axis=1) >= MIN_CONTRAST_FRAMES
            for i, j in zip(members[one[is_near]].tolist(), members[other[is_near]].tolist(), strict=True):
                sets.join(i, j)


def _open_runs(
    keys: npt.NDArray[np.uint64], roots: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions sorted by key, and a run number for each: without runs whose rows are all in one set already."""
    order = np.lexsort((roots, keys))
    keys, roots = keys[order], roots[order]
    run = np.concatenate([[0], np.cumsum(keys[1:] != keys[:-1])])
    is_apart = np.zeros(len(keys) + 1, dtype=bool)
    is_apart[run[1:][(run[1:] == run[:-1]) & (roots[1:] != roots[:-1])]] = True
    is_open = is_apart[run[: len(keys)]]
    return order[is_open], run[: len(keys)][is_open]


def _has_contrast(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    set_bits = np.bitwise_count(hashes)
    return (set_bits >= MIN_SET_BITS) & (set_bits <= MAX_SET_BITS)


def _bands(count: int) -> list[int]:
    """Masks that deal 64 bits out to `count` bands in turn.

    Dealt out, a band spreads over the whole frame: neighbouring bits would be equal for all stickers with an empty
    border, and a band of them would tell nothing apart.
    """
    return [sum(1 << bit for bit in range(first, HASH_BITS, count)) for first in range(count)]


class _DisjointSets:
    """Union-find over the numbers 0 to `count` - 1."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, member: int) -> int:
        parent = self._parent
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    def roots(self) -> npt.NDArray[np.int64]:
        """The root of every member."""
        parent = np.array(self._parent, dtype=np.int64)
        while not np.array_equal(above := parent[parent], parent):
            parent = above
        return parent

    def join(self, one: int, other: int) -> None:
        self._parent[self.root(one)] = self.root(other)
