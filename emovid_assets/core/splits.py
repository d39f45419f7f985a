"""Benchmark, training and unused clips, without leaks.

Belongs here: which clips become benchmark or training (`split_clips`), what was done, in words (`split_told`), and the
proof that no group is on both sides (`leaks`). Does not belong here: which clips are a group (`clip_groups`), files,
tables.

How the benchmark is drawn (SPEC §6; requirement R28). Every group with a benchmark clip is lost to training, which
pulls two ways: many groups make a diverse benchmark, few leave something to train on. In this order:
1. Diversity. Human-labelled clips are visited by (position within their group and emotion, keyed rank): one clip of
   each group before a second. A clip is taken while its cell has room and the benchmark's groups together hold at
   most `held_out_share` of the domain's labelled clips. In a large library this alone fills every cell.
2. Completeness. Cells that are still short open further groups, the one that fills most places first (on a tie the
   one with the fewest clips, then the lowest rank), until a cell has its clips or there are none left.
Both keep clips to train on: a domain takes its clips from at most a third of all its groups, and a cell from at most a
third of those in which people have labelled clips of it. The domain as well, for a group that one cell opens is lost to
the others too. Of fewer than three groups it is one, as long as the domain keeps another: a small library has a small
benchmark, and one with a single film has none.

Clips in new groups move a benchmark clip only where they have a lower rank in a full cell or change step 2;
`already_benchmark` keeps a published benchmark as it is, also one that was drawn under other limits.

A group of several domains is used in one of them (`clip_groups.ClipGroups`): elsewhere its clips are unused, so that
each domain can be split by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from emovid_assets.core.draws import spread_over
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.identity import keyed_rank

Row = dict[str, Any]

PER_CELL = 10
TRAIN_LIMIT: Mapping[str, int] = {"movie": 8000}
"""Most training clips of a domain (requirement R30); a domain that is not here has no limit."""
HELD_OUT_SHARE = 0.25
GROUPS_FOR_ONE = 3
"""A domain, and a cell of it, takes clips from at most one group in so many."""


def split_clips(
    labelled: Iterable[Mapping[str, Any]],
    *,
    per_cell: int = PER_CELL,
    train_limit: Mapping[str, int] = TRAIN_LIMIT,
    held_out_share: float = HELD_OUT_SHARE,
    seed: str = "emovid",
    already_benchmark: Collection[str] = frozenset(),
    failed_reviews: Collection[str] = frozenset(),
    home_of: Mapping[str, str] = MappingProxyType({}),
    held_elsewhere: Collection[str] = frozenset(),
) -> list[Row]:
    """Rows of `benchmark_split` but for its first frame, sorted by clip.

    `labelled` have clip_id, domain, emotion, label_source, group_id and caption (may be None). Benchmark: per domain
    and emotion up to `per_cell` human-labelled clips, drawn as the module says; `already_benchmark` come first.
    Training: clips whose group has no benchmark clip, by keyed rank up to the domain's limit. The rest is unused, and
    so are `failed_reviews`, whatever else holds for them: a disputed label is neither tested nor taught.

    `home_of`: group → the one domain in which it is drawn from and trained on, where it has clips of several.
    `held_elsewhere`: groups of which another domain has published a benchmark clip; they are not trained on.
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
        home_of=home_of,
    )
    held_out = {clip["group_id"] for clip in clips if clip["clip_id"] in benchmark} | set(held_elsewhere)
    train: set[str] = set()
    for domain, members in by_domain.items():
        free = [
            clip["clip_id"]
            for clip in members
            if clip["group_id"] not in held_out and clip["clip_id"] not in failed_reviews and _is_at_home(clip, home_of)
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
    home_of: Mapping[str, str] = MappingProxyType({}),
) -> set[str]:
    """The clip ids of the benchmark alone, as `split_clips` draws it; `labelled` need no caption.

    Of clips that people did not label only their number and their groups matter, not their emotion.
    """
    benchmark: set[str] = set()
    for members in _by_domain(labelled).values():
        benchmark |= _draw_benchmark(
            members, per_cell, held_out_share, f"{seed}/benchmark", already_benchmark, failed_reviews, home_of
        )
    return benchmark


def prompt_of(caption: str | None, emotion: str) -> str:
    """The caption and the sentence that names the emotion (requirement R29); the sentence alone without a caption."""
    sentence = emotion_sentence(emotion)
    return f"{caption} {sentence}" if caption and caption.strip() else sentence


def emotion_sentence(emotion: str) -> str:
    """What a prompt says of the emotion."""
    return f'The video is in the "{emotion}" emotion.'


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


def _is_at_home(clip: Mapping[str, Any], home_of: Mapping[str, str]) -> bool:
    return bool(home_of.get(clip["group_id"], clip["domain"]) == clip["domain"])


def _candidates(
    clips: Iterable[Mapping[str, Any]],
    already: Collection[str],
    failed_reviews: Collection[str],
    home_of: Mapping[str, str],
) -> list[Mapping[str, Any]]:
    able = (clip for clip in clips if clip["label_source"] == "human" and clip["clip_id"] not in failed_reviews)
    return [clip for clip in able if clip["clip_id"] in already or _is_at_home(clip, home_of)]


@dataclass
class _Room:
    """What a benchmark may still take: places of each emotion, and groups of each emotion and of the domain."""

    places: dict[str, int]
    groups_left: dict[str, int]
    groups_left_in_all: int
    opened: set[str]
    used: set[tuple[str, str]]
    """(emotion, group) of which a clip was taken."""

    @classmethod
    def of(cls, candidates: Sequence[Mapping[str, Any]], group_count: int, per_cell: int) -> "_Room":
        groups = {(clip["emotion"], clip["group_id"]) for clip in candidates}
        of_emotion = Counter(emotion for emotion, _ in groups)
        return cls(
            dict.fromkeys(of_emotion, per_cell),
            {emotion: max(1, count // GROUPS_FOR_ONE) for emotion, count in of_emotion.items()},
            max(min(1, group_count - 1), group_count // GROUPS_FOR_ONE),
            set(),
            set(),
        )

    def has(self, clip: Mapping[str, Any]) -> bool:
        emotion, group = clip["emotion"], clip["group_id"]
        return (
            self.places[emotion] > 0
            and ((emotion, group) in self.used or self.groups_left[emotion] > 0)
            and (group in self.opened or self.groups_left_in_all > 0)
        )

    def take(self, clip: Mapping[str, Any]) -> None:
        emotion, group = clip["emotion"], clip["group_id"]
        self.places[emotion] -= 1
        if (emotion, group) not in self.used:
            self.used.add((emotion, group))
            self.groups_left[emotion] -= 1
        if group not in self.opened:
            self.opened.add(group)
            self.groups_left_in_all -= 1

    def fitting(self, clips: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Those of the clips of one group, in order, that there is room for."""
        left: dict[str, int] = {}
        found = []
        for clip in clips:
            places = left.setdefault(clip["emotion"], self.places[clip["emotion"]] if self.has(clip) else 0)
            if places > 0:
                found.append(clip)
                left[clip["emotion"]] = places - 1
        return found


def _draw_benchmark(
    clips: Sequence[Mapping[str, Any]],
    per_cell: int,
    held_out_share: float,
    seed: str,
    already: Collection[str],
    failed_reviews: Collection[str],
    home_of: Mapping[str, str],
) -> set[str]:
    """Benchmark clip ids of one domain."""
    candidates = _candidates(clips, already, failed_reviews, home_of)
    group_sizes = Counter(clip["group_id"] for clip in clips)
    room = _Room.of(candidates, len({clip["group_id"] for clip in clips if _is_at_home(clip, home_of)}), per_cell)
    budget = held_out_share * len(clips)
    chosen: set[str] = set()

    def take(clip: Mapping[str, Any]) -> None:
        nonlocal budget
        if clip["group_id"] not in room.opened:
            budget -= group_sizes[clip["group_id"]]
        room.take(clip)
        chosen.add(clip["clip_id"])

    ordered = spread_over(candidates, lambda clip: (clip["group_id"], clip["emotion"]), seed)
    for clip in ordered:
        if clip["clip_id"] in already and room.places[clip["emotion"]] > 0:
            take(clip)
    passed_over: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for clip in ordered:
        if clip["clip_id"] in already or not room.has(clip):
            continue
        if clip["group_id"] in room.opened or group_sizes[clip["group_id"]] <= budget:
            take(clip)
        else:
            passed_over[clip["group_id"]].append(clip)

    # Groups come in the order of their best clip, and max() keeps the first of equals: the lowest rank wins ties.
    while passed_over:
        gains = {group: room.fitting(members) for group, members in passed_over.items()}
        best = max(gains, key=lambda group: (len(gains[group]), -group_sizes[group]))
        if not gains[best]:
            break
        for clip in gains[best]:
            take(clip)
        del passed_over[best]
    return chosen


def split_told(
    rows: Sequence[Mapping[str, Any]],
    *,
    per_cell: int,
    home_of: Mapping[str, str] = MappingProxyType({}),
    failed_reviews: Collection[str] = frozenset(),
) -> str:
    """What was done with a domain, in a few sentences. `rows` as `split_clips` returns them."""
    if not rows:
        return "No clip has a final label yet."
    counts = Counter(row["split"] for row in rows)
    groups = {row["group_id"] for row in rows}
    opened = {row["group_id"] for row in rows if row["split"] == "benchmark"}
    said = [
        f"{counts['benchmark']} clips of {len(opened)} of {len(groups)} groups are the benchmark, {counts['train']} "
        f"are left to train on, {counts['unused']} are unused."
    ]
    drawn = {row["clip_id"] for row in rows if row["split"] == "benchmark"}
    able = Counter(row["emotion"] for row in _candidates(rows, drawn, failed_reviews, home_of))
    cells = Counter(row["emotion"] for row in rows if row["split"] == "benchmark")
    held_back = [name for name in EMOTION_NAMES if cells[name] < min(per_cell, able[name])]
    if held_back:
        short = ", ".join(f"{name} {cells[name]} of {min(per_cell, able[name])}" for name in held_back)
        said.append(
            "To leave clips to train on, the benchmark takes at most a third of the groups, and of those of an "
            f"emotion: {short}."
        )
    if len(opened) > max(1, len(groups) // GROUPS_FOR_ONE):
        said.append(
            "It was published with more than a third of the groups and stays as it is; remove "
            "warehouse/benchmark_split to have it drawn anew."
        )
    copies = sum(not _is_at_home(row, home_of) for row in rows)
    if copies:
        said.append(f"{copies} belong to groups that are used in another domain.")
    return " ".join(said)
