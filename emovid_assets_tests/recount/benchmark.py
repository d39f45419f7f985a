"""The benchmark and its splits, recounted clip by clip.

Belongs here: the section on the benchmark. Which clips were drawn is no number; how many they are is.
"""

from typing import Any

from emovid_assets_tests.recount.home import DOMAINS, EMOTIONS, SCOPES, Library, Row
from emovid_assets_tests.recount.page import Exhibit
from emovid_assets_tests.recount.provenance import settings_of

SPLITS = ("benchmark", "train", "unused")


def members(library: Library, scope: str, split: str) -> list[Row]:
    return [
        row for row in library.table("benchmark_split") if row["split"] == split and scope in ("total", row["domain"])
    ]


def cells(library: Library) -> dict[tuple[str, str], int]:
    """(domain, emotion) → clips."""
    drawn = [(row["domain"], row["emotion"]) for row in members(library, "total", "benchmark")]
    return {(domain, emotion): drawn.count((domain, emotion)) for domain in DOMAINS for emotion in EMOTIONS}


def wanted(library: Library) -> int:
    return int(settings_of(library).get("benchmark.per_cell", 10))


def benchmark(library: Library) -> dict[str, Exhibit]:
    return {"The benchmark: domains by emotions": _grid(library), "Splits": _splits(library)}


def _grid(library: Library) -> Exhibit:
    counts, full = cells(library), wanted(library)
    rows: list[list[Any]] = [["emotion", *DOMAINS]]
    for emotion in EMOTIONS:
        there = [counts[domain, emotion] for domain in DOMAINS]
        rows.append([emotion, *([count] if count >= full else [count, full] for count in there)])
    filled = sum(count >= full for count in counts.values())
    reading = [sum(counts.values()), sum(count > 0 for count in counts.values()), len(counts)]
    reading += [filled, full] if filled else [full]
    return Exhibit("clips one by one", reading, tables=[rows])


def _splits(library: Library) -> Exhibit:
    rows: list[list[Any]] = [["domain", *SPLITS, "groups"]]
    for scope in SCOPES:
        there = [members(library, scope, split) for split in SPLITS]
        groups = {row["group_id"] for part in there for row in part}
        if groups:
            rows.append([scope, *map(len, there), len(groups)])
    files = {row["clip_id"]: row["sha256"] for row in library.table("clip_media")}
    tested, taught = (members(library, "total", split) for split in ("benchmark", "train"))
    shared = [
        {value(row) for row in tested} & {value(row) for row in taught}
        for value in (lambda row: row["group_id"], lambda row: files[row["clip_id"]])
    ]
    leaks = sum(map(len, shared))
    return Exhibit("clips one by one", [len(tested), len(taught), *([leaks] if leaks else [])], tables=[rows])
