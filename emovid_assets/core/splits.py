"""Benchmark, training and unused clips, without leaks.

Belongs here: which clips belong together (`group_clips`), which clips become benchmark or training (`split_clips`),
and the proof that no group is on both sides (`leaks`). Does not belong here: when two clips are near-duplicates
(`near_duplicates`), hashing frames, files, tables.

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
from typing import Any

import numpy as np

from emovid_assets.core.draws import spread_over
from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.near_duplicates import HASHES, Limits, Looks, joined, near_sets

Row = dict[str, Any]

PER_CELL = 10
TRAIN_LIMIT: Mapping[str, int] = {"movie": 8000}
"""Most training clips of a domain (requirement R30); a domain that is not here has no limit."""
HELD_OUT_SHARE = 0.25

MAX_BITS = 4
MAX_COLOUR = 24 / 255
CLIPS = Limits(max_bits=MAX_BITS, max_colour=MAX_COLOUR, min_contrast_frames=2)
"""For difference hashes and `colour.mean_colour` of clips. Two frames of three: a clip that fades from black is found.

Measured on the public corpus (ADR 21): colours of copies differ by at most 0.061; different stickers have come as near
as 6 bits, and there colours do not tell them apart.
"""


def group_clips(rows: Iterable[Mapping[str, Any]], *, limits: Limits = CLIPS) -> dict[str, str]:
    """Group id of each clip id: `g-` + the smallest source id of the group.

    Rows have clip_id, source_id, film_id (or None), frame_hashes (first, middle and last frame, 16 hex digits each) and
    mean_colour (`colour.mean_colour`, or None). Clips of one source, of one film, and near-duplicates are a group,
    transitively. A clip without three hashes or without a colour is grouped by source and film only.

    Raises ValueError for a hash that is not 16 hex digits.
    """
    clips = list(rows)
    sets = np.arange(len(clips))
    for name in ("source_id", "film_id"):
        first_of: dict[str, int] = {}
        named = [index for index, clip in enumerate(clips) if clip[name]]
        firsts = [first_of.setdefault(clips[index][name], index) for index in named]
        sets = joined(sets, np.array(named, np.intp), np.array(firsts, np.intp))
    seen = [index for index, clip in enumerate(clips) if _is_seen(clip)]
    looks = Looks.of((clips[index]["frame_hashes"] for index in seen), (clips[index]["mean_colour"] for index in seen))
    sets = near_sets(looks, limits, np.array(seen, np.intp), sets)

    smallest: dict[int, str] = {}
    for number, clip in zip(sets.tolist(), clips, strict=True):
        smallest[number] = min(smallest.get(number, clip["source_id"]), clip["source_id"])
    return {clip["clip_id"]: f"g-{smallest[number]}" for number, clip in zip(sets.tolist(), clips, strict=True)}


def _is_seen(clip: Mapping[str, Any]) -> bool:
    return len(clip["frame_hashes"] or ()) == HASHES and clip["mean_colour"] is not None


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
    ordered = spread_over(candidates, lambda clip: (clip["group_id"], clip["emotion"]), seed)
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
