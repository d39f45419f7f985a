"""Size, emotions and their wheel, recounted by clips one by one.

Belongs here: the sections on size and emotions. The lengths are those of the clip files themselves, as PyAV reads them.
"""

import json
import statistics
from pathlib import Path
from typing import Any

from emovid_assets_tests.recount.home import DOMAINS, EMOTIONS, POSITIVE, SCOPES, Library, length
from emovid_assets_tests.recount.page import Chart, Exhibit

FACTS = Path(__file__).resolve().parents[1] / "facts"

# Warriner, Kuperman and Brysbaert (2013): the words' mean valence and arousal.
PLACES = {
    "amusement": (7.00, 4.82),
    "awe": (6.85, 3.83),
    "contentment": (6.62, 4.60),
    "excitement": (7.62, 6.21),
    "anger": (2.50, 5.93),
    "disgust": (3.32, 5.00),
    "fear": (2.93, 6.14),
    "sadness": (2.40, 2.81),
}
STATISTICS_HEAD = ("domain", "clips", "mean length, s", "SD, s", "total", "with video", "with audio", "with caption")
COMPARISON_HEAD = ("dataset", "modalities", "length", "clips", "content", "labels")
WHEEL_HEAD = ("emotion", "polarity", "valence", "arousal", "clips")


def paper_facts() -> dict[str, Any]:
    return json.loads((FACTS / "paper_numbers.json").read_text(encoding="utf-8"))


def members(library: Library, scope: str) -> list[dict[str, Any]]:
    return [clip for clip in library.clips if scope in ("total", clip["domain"])]


def seconds_of(library: Library, scope: str) -> list[float]:
    return [library.media[clip["clip_id"]].seconds for clip in members(library, scope)]


def size(library: Library) -> dict[str, Exhibit]:
    return {
        "Dataset statistics": _statistics(library),
        "Beside other datasets of emotional video": _comparison(library),
    }


def _statistics(library: Library) -> Exhibit:
    captions = library.by_clip("captions")
    rows: list[list[Any]] = [list(STATISTICS_HEAD)]
    for scope in SCOPES:
        clips, lengths = members(library, scope), seconds_of(library, scope)
        media = [library.media[clip["clip_id"]] for clip in clips]
        rows.append(
            [
                scope,
                len(clips),
                statistics.mean(lengths),
                statistics.stdev(lengths),
                length(sum(lengths)),
                100 * statistics.mean(one.frame_count > 0 for one in media),
                100 * statistics.mean(one.has_audio for one in media),
                100 * statistics.mean(bool(captions[clip["clip_id"]]["caption"].strip()) for clip in clips),
            ]
        )
    everything = seconds_of(library, "total")
    most = max(len(members(library, domain)) for domain in DOMAINS)
    reading = [
        len(everything),
        statistics.mean(everything),
        statistics.stdev(everything),
        *length(sum(everything)),
        100 * most / len(everything),
    ]
    return Exhibit("clip files, as PyAV reads them", reading, tables=[rows])


def _comparison(library: Library) -> Exhibit:
    facts = paper_facts()["table1"]
    rows: list[list[Any]] = [list(COMPARISON_HEAD)]
    printed = {}
    for name, modalities, hours, clips, content, labels in facts[:-1]:
        amount = clips.removesuffix(" clips")
        printed[name] = float(amount.removesuffix("k")) * (1000 if amount.endswith("k") else 1)
        rows.append([name, modalities, [float(hours.removesuffix("h"))], [printed[name]], content, labels])
    seconds = sum(seconds_of(library, "total"))
    own = len(library.clips)
    carries = "v,a,t" if any(one.has_audio for one in library.media.values()) else "v,t"
    rows.append(["EmoVid", carries, length(seconds), own, facts[-1][4], facts[-1][5]])
    rank = 1 + sum(count > own for count in printed.values())
    return Exhibit("the facts of the paper", [own, *length(seconds), rank, len(facts)], tables=[rows])


def emotions(library: Library) -> dict[str, Exhibit]:
    return {
        "Emotion wheel: the eight labels by valence and arousal": _wheel(library),
        "Emotions per domain": _distribution(library),
    }


def _wheel(library: Library) -> Exhibit:
    counts = {name: library.count_of("total", name) for name in EMOTIONS}
    total = sum(counts.values())
    middle = statistics.median(arousal for _, arousal in PLACES.values())
    high = sum(counts[name] for name, (_, arousal) in PLACES.items() if arousal > middle)
    positive = sum(counts[name] for name in POSITIVE)
    mean = sum(counts[name] * valence for name, (valence, _) in PLACES.items()) / total
    polarity = {name: "positive" if name in POSITIVE else "negative" for name in EMOTIONS}
    drawn = sorted(EMOTIONS, key=lambda name: -counts[name])
    chart = Chart(
        said=[counts[name] for name in EMOTIONS],
        marks=[[counts[name], *PLACES[name]] for name in drawn],
        labels=[[counts[name]] for name in drawn],
        axis=(*map(str, range(1, 10)), *map(str, range(2, 8)), "valence (1 unpleasant – 9 pleasant)"),
    )
    return Exhibit(
        "votes counted again",
        [100 * positive / total, total, 100 * high / total, mean, 1, 9],
        rests_on=total,
        notes=[2013],
        tables=[[WHEEL_HEAD, *([name, polarity[name], *PLACES[name], counts[name]] for name in EMOTIONS)]],
        charts=[chart],
    )


def _distribution(library: Library) -> Exhibit:
    charts = []
    for scope in SCOPES:
        total = len(library.labelled(scope))
        shares = [[100 * library.count_of(scope, name) / total, library.count_of(scope, name)] for name in EMOTIONS]
        charts.append(Chart([total], [value for pair in shares for value in pair], shares))
    counts = [library.count_of("total", name) for name in EMOTIONS]
    total, most, least = sum(counts), max(counts), min(counts)
    human = sum(source == "human" for _, source in library.labels.values())
    ends = [most, 100 * most / total, least, 100 * least / total] if most > least else [most]
    return Exhibit("votes counted again", [*ends, 100 * human / total, total], rests_on=total, charts=charts)
