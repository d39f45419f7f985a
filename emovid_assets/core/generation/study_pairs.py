"""Which pairs of generated videos people are asked about, on which sides, and in which order.

Belongs here: the plan of a study. Does not belong here: what people see (`study_screen`), which answers count
(`preference_answers`).

A pair are two videos by different generators of the same task, prompt and seed. Each pair of generators gets the same
number of them, spread over emotions and prompts; sides and order are drawn by keyed hash, so that nobody chooses them.
An attention check is a video beside a spoiled version of itself (`video.blind_copy`), of which nothing can be
recognised: its answer is known whatever anybody thinks of a generator. A real clip of another emotion would be no such
check: how well a generator conveys an emotion is what the study asks.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from emovid_assets.core.identity import keyed_rank

Row = Mapping[str, Any]

QUESTIONS = ("emotion", "quality", "prompt")
QUALITY = "quality"
CHOICES = ("a", "b", "tie")
A, B, TIE = CHOICES


def prompt_key(row: Row) -> str:
    """What two videos must share beside task and seed: a prompt of the benchmark, or a character in an emotion."""
    return str(row["clip_id"] or f"{row['character']}/{row['asked_emotion']}")


def plan_study(
    videos: Iterable[Row], *, domain: str, pair_count: int, check_count: int, seed: str, published: Iterable[Row] = ()
) -> list[dict[str, Any]]:
    """Rows of `preference_tasks` of one domain; `videos` are its rows of `generated_videos`.

    `pair_count` is shared out evenly among the pairs of generators that have a prompt in common. `published` are the
    rows of the last plan: what people have been asked stays, as long as both files are the same, also beyond the
    share of its pair of generators; a new generator adds pairs.
    """
    by_id = {video["video_id"]: video for video in videos}
    candidates = _candidates(by_id.values(), domain, seed)
    known = {pair["task_id"]: pair for pairs in candidates.values() for pair in pairs}
    kept = [known[row["task_id"]] for row in published if row["expected"] is None and row["task_id"] in known]
    pairs = _balanced(candidates, kept, pair_count, seed)
    checks = _checks(by_id.values(), domain, check_count, seed, published) if pairs else []
    rows = [*pairs, *checks]
    order = sorted(rows, key=lambda row: (keyed_rank(row["task_id"], f"{seed}/order"), row["task_id"]))
    return [{**row, "position": position} for position, row in enumerate(order)]


def _candidates(videos: Iterable[Row], domain: str, seed: str) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """By task and pair of generators, every pair of videos that could be asked about."""
    made: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for video in videos:
        made[video["task"], prompt_key(video), video["seed"]].append(video)
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for (task, _, _), of_prompt in made.items():
        for one, other in combinations(sorted(of_prompt, key=lambda video: video["generator"]), 2):
            if one["generator"] != other["generator"]:
                found[task, one["generator"], other["generator"]].append(_pair(one, other, domain, seed))
    return dict(sorted(found.items()))


def _balanced(
    candidates: Mapping[tuple[str, str, str], Sequence[dict[str, Any]]],
    kept: Sequence[dict[str, Any]],
    pair_count: int,
    seed: str,
) -> list[dict[str, Any]]:
    """What is kept, and to each cell what it lacks: each time the pair whose emotion and prompt are rarest so far."""
    cells = sorted(candidates, key=lambda cell: keyed_rank("/".join(cell), f"{seed}/cells"))
    chosen, taken = list(kept), {pair["task_id"] for pair in kept}
    per_cell, in_cell, emotions, prompts = Counter[Any](), Counter[Any](), Counter[Any](), Counter[Any]()

    def count(pair: Row) -> None:
        cell = _cell(pair)
        per_cell[cell] += 1
        in_cell[cell, pair["asked_emotion"]] += 1
        emotions[pair["asked_emotion"]] += 1
        prompts[prompt_key(pair)] += 1

    for pair in kept:
        count(pair)
    shares = {cell: pair_count // len(cells) + (place < pair_count % len(cells)) for place, cell in enumerate(cells)}
    for turn in range(max(shares.values(), default=0)):
        for cell in cells:
            free = [pair for pair in candidates[cell] if pair["task_id"] not in taken]
            if per_cell[cell] > turn or per_cell[cell] >= shares[cell] or not free:
                continue
            best = min(
                free,
                key=lambda pair: (
                    in_cell[_cell(pair), pair["asked_emotion"]],
                    emotions[pair["asked_emotion"]],
                    prompts[prompt_key(pair)],
                    keyed_rank(pair["task_id"], f"{seed}/pairs"),
                ),
            )
            chosen.append(best)
            taken.add(best["task_id"])
            count(best)
    return chosen


def _cell(pair: Row) -> tuple[str, str, str]:
    first, second = sorted((pair["generator_a"], pair["generator_b"]))
    return pair["task"], first, second


def _checks(
    videos: Iterable[Row], domain: str, count: int, seed: str, published: Iterable[Row]
) -> list[dict[str, Any]]:
    possible = {}
    for video in videos:
        check = _check(video, domain, seed)
        possible[check["task_id"]] = check
    out = [row["task_id"] for row in published if row["expected"] is not None and row["task_id"] in possible]
    drawn = sorted(possible.keys() - set(out), key=lambda task_id: keyed_rank(task_id, f"{seed}/checks"))
    return [possible[task_id] for task_id in [*out, *drawn[: max(0, count - len(out))]]]


def _pair(one: Row, other: Row, domain: str, seed: str) -> dict[str, Any]:
    task_id = _task_id(domain, one, other)
    left, right = (other, one) if keyed_rank(task_id, f"{seed}/sides") % 2 else (one, other)
    return _row(task_id, domain, left, right, None)


def _check(video: Row, domain: str, seed: str) -> dict[str, Any]:
    task_id = _task_id(domain, video, video)
    return _row(task_id, domain, video, video, B if keyed_rank(task_id, f"{seed}/sides") % 2 else A)


def _task_id(domain: str, one: Row, other: Row) -> str:
    """Other files are another question; the same two are the same one, whichever is left."""
    seen = sorted(f"{video['video_id']}/{video['sha256']}" for video in (one, other))
    return f"{domain}-pair-{hashlib.sha256('|'.join(seen).encode()).hexdigest()[:16]}"


def _row(task_id: str, domain: str, left: Row, right: Row, expected: str | None) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "domain": domain,
        "task": left["task"],
        "clip_id": left["clip_id"],
        "character": left["character"],
        "asked_emotion": left["asked_emotion"],
        "prompt": left["prompt"],
        "video_a": left["video_id"],
        "video_b": right["video_id"],
        "generator_a": left["generator"],
        "generator_b": right["generator"],
        "fps_a": left["fps"],
        "fps_b": right["fps"],
        "shown_s": min(left["duration_s"], right["duration_s"]),
        "expected": expected,
        "is_trial": left["is_trial"] or right["is_trial"],
    }
