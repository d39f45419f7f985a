"""The paper's numbers from the facts that were taken from it, and ours beside them, recounted.

Belongs here: the section on the paper. The page says which value a row is of; what it prints and what is ours is looked
up here, and every fact has to be on the page.
"""

import csv
import re
import statistics
from typing import Any

from scipy import stats
from statsmodels.stats.oneway import anova_oneway
from statsmodels.stats.proportion import proportion_confint

from emovid_assets_tests.drawing.reading import Element
from emovid_assets_tests.recount import benchmark, people
from emovid_assets_tests.recount.agreement import ratings_of
from emovid_assets_tests.recount.captions import phrases_shown
from emovid_assets_tests.recount.colour import ATTRIBUTES, groups_of
from emovid_assets_tests.recount.home import DOMAINS, EMOTIONS, NOTHING, POSITIVE, SCOPES, Library
from emovid_assets_tests.recount.page import Exhibit
from emovid_assets_tests.recount.size import FACTS, members, paper_facts, seconds_of
from emovid_assets_tests.recount.transitions import steps
from emovid_assets_tests.sql.test_paper_views import METRICS, _expected

VIDEOS = 240
SUBJECTS = ("dataset", "task", "model", "domain", "emotion")
COLUMNS = ("fvd", "clip", "sd", "flicker", "ea2", "ea8")
LEADERS_HEAD = (
    *("model", "task", "videos", "FVD ↓", "CLIP ↑", "first frame ↑"),
    *("flicker ↓", "EA-2 ↑", "EA-8 ↑", "EA-8, 95 %"),
)
IN_TEXT = {"ea 2": ("92.08", 94.58), "ea 8": ("72.92", 76.25)}
"""Of the tuned model: what the text prints, and what Table 3 does."""

Key = tuple[str, str]


def table_3() -> list[dict[str, str]]:
    return list(csv.DictReader((FACTS / "table3.csv").open(encoding="utf-8")))


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _subject(place: dict[str, Any]) -> str:
    said = ", ".join(_plain(place[name]) for name in SUBJECTS if name in place)
    return f"{said} → {place['next_emotion']}" if "next_emotion" in place else said


def printed() -> dict[Key, tuple[Any, float | None]]:
    """(quantity, what it is of) → what the paper prints, and what would be consistent."""
    found: dict[Key, tuple[Any, float | None]] = {}
    for place, value, consistent in _expected(paper_facts()):
        # The facts on transitions name no domain: all are of movies.
        if place["quantity"].startswith("transition_"):
            place["domain"] = "movie"
        found[_plain(place["quantity"]), _subject(place)] = (value, consistent)
    for row in table_3():
        for metric, column in zip(METRICS, COLUMNS, strict=True):
            if row[column]:
                consistent = None
                if metric.startswith("ea_"):
                    rounded = round(100 * _hits(float(row[column])) / VIDEOS, 2)
                    consistent = rounded if rounded != float(row[column]) else None
                found[_plain(metric), f"{row['task']}, {row['method']}"] = (row[column], consistent)
    return found


def _hits(share: float) -> int:
    return round(share * VIDEOS / 100)


def ours(library: Library) -> dict[Key, Any]:
    """(quantity, what it is of) → what this library gives for it."""
    return {key: value for part in (_sizes, _answers, _steps, _models) for key, value in part(library).items()}


def _sizes(library: Library) -> dict[Key, Any]:
    found: dict[Key, Any] = {}
    own = {"modalities": "v,a,t", "content": "Animation, Movie, Sticker", "label scheme": "8 cls (Mikels)"}
    own |= {"duration": sum(seconds_of(library, "total")) / 3600, "clip count": len(library.clips)}
    found |= {(f"dataset {name}", "EmoVid"): value for name, value in own.items()}
    captions = library.by_clip("captions")
    for scope in SCOPES:
        clips, seconds = members(library, scope), seconds_of(library, scope)
        found["clip count", scope] = len(clips)
        found["duration mean", scope] = statistics.mean(seconds)
        found["duration sd", scope] = statistics.stdev(seconds)
        media = [library.media[clip["clip_id"]] for clip in clips]
        found["has video", scope] = any(one.frame_count for one in media)
        found["has audio", scope] = any(one.has_audio for one in media)
        found["has caption", scope] = any(clip["clip_id"] in captions for clip in clips)
        found["training clip count", scope] = len(benchmark.members(library, scope, "train"))
        found["human label count", scope] = people.outcome_count(library, scope, "agreed")
    for place, emotion in enumerate(EMOTIONS):
        found["emotion index", emotion] = place
        found["polarity", emotion] = "positive" if emotion in POSITIVE else "negative"
    found["duration total", ""] = sum(seconds_of(library, "total"))
    found["collected count", "animation"] = sum(row["domain"] == "animation" for row in library.sources)
    found["movie duration min", ""] = min(seconds_of(library, "movie"))
    found["movie duration max", ""] = max(seconds_of(library, "movie"))
    cells = benchmark.cells(library)
    filled = [cell for cell, count in cells.items() if count]
    found["benchmark clip count", ""] = sum(cells.values())
    found["benchmark domain count", ""] = len({domain for domain, _ in filled})
    found["benchmark emotion count", ""] = len({emotion for _, emotion in filled})
    found["benchmark cell clip count", ""] = min(cells.values())
    prompts = [row["prompt"] for row in library.table("benchmark_split") if row["emotion"] == "amusement"]
    found["prompt suffix", ""] = prompts[0][prompts[0].index("The video is in") :].rstrip(".")
    return found


def _answers(library: Library) -> dict[Key, Any]:
    tasks = library.table("annotation_tasks")
    asked = [row for row in tasks if row["purpose"] == "label"]
    long = [clip for clip in library.clips if clip["domain"] != "sticker"]
    votes = [
        max(_votes(library, one).values())
        for one, (outcome, _) in library.outcomes.items()
        if outcome == "agreed" and library.domain_of[one] != "sticker"
    ]
    ratings = ratings_of(library, "total")
    gap = ratings.gap
    return {
        ("extra human choice", ""): NOTHING if any(row["label"] == NOTHING for row in library.answers) else None,
        ("human share", ""): 100 * sum(row["domain"] != "sticker" for row in asked) / len(long),
        ("annotators per clip", ""): min(row["required_annotators"] for row in asked),
        ("agreeing annotators min", ""): min(votes),
        ("validation share", ""): 100 * sum(row["purpose"] == "validate" for row in tasks) / len(library.clips),
        ("rater count", ""): len(ratings.people) + 1,
        ("rater pair count", ""): len(ratings.pairs),
        ("kappa gap", ""): 100 * (gap if isinstance(gap, float) else gap[0]),
    }


def _votes(library: Library, clip_id: str) -> dict[str, int]:
    labels = [row["label"] for row in library.answers if row["clip_id"] == clip_id and row["purpose"] == "label"]
    return {label: labels.count(label) for label in labels}


def _steps(library: Library) -> dict[Key, Any]:
    counts = steps(library)["bridged"]
    starts = counts.sum(axis=1)
    found: dict[Key, Any] = {}
    cells: dict[str, list[float]] = {"within": [], "across": []}
    for row, one in enumerate(EMOTIONS):
        for column, other in enumerate(EMOTIONS):
            if not starts[row]:
                continue
            share = counts[row, column] / starts[row]
            kind = "self" if one == other else "chain"
            found[f"transition {kind}", f"movie, {one} → {other}"] = share
            if one != other:
                cells["within" if (one in POSITIVE) == (other in POSITIVE) else "across"].append(share)
    found["transition within polarity min", "movie"] = min(cells["within"])
    found["transition within polarity max", "movie"] = max(cells["within"])
    found["transition across polarity max", "movie"] = max(cells["across"])
    return found


def _models(library: Library) -> dict[Key, Any]:
    tests = [groups_of(library, "total", f"{column}_mean") for column in ATTRIBUTES]
    variances = [anova_oneway(groups, use_var="equal") for groups in tests]
    etas = [one.statistic * one.df_num / (one.statistic * one.df_num + one.df_denom) for one in variances]
    sizes = [len(phrase.split()) for phrase in phrases_shown(library)]
    captioners = {row["model_id"] for row in library.table("captions")}
    return {
        ("labeller", ""): library.model,
        ("captioner", ""): ", ".join(sorted(captioners)),
        ("frame stride", ""): _stride(library),
        ("colour level count", ""): len({row["brightness"] for row in library.colours.values()}),
        ("anova p value", ""): max(stats.f_oneway(*groups).pvalue for groups in tests),
        ("anova eta squared", ""): 100 * max(etas),
        ("phrases per emotion", ""): 5,
        ("phrase words min", ""): min(sizes),
        ("phrase words max", ""): max(sizes),
    }


def _stride(library: Library) -> int | None:
    """The only stride that gives as many sampled frames as each clip has."""
    sampled = {(library.media[one].frame_count, row["sampled_frame_count"]) for one, row in library.colours.items()}
    fitting = [stride for stride in range(1, 1000) if all(-(-count // stride) == taken for count, taken in sampled)]
    return fitting[0] if len(fitting) == 1 else None


def paper(library: Library, figure: Element) -> dict[str, Exhibit]:
    return {
        "Every number of the paper, and ours": _comparison(library, figure),
        "Generated video: models as the paper measured them": _leaders(),
    }


def _shows(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else [float(value)]


def _comparison(library: Library, figure: Element) -> Exhibit:
    facts, own = printed(), ours(library)
    seen: set[Key] = set()
    slips, *parts = figure.named("table")
    tables: list[list[list[Any]]] = []
    summaries, known_count, row_count = [], 0, 0
    names = [one.named("summary")[0].text.split(":")[0] for one in figure.of_class("part")]
    for name, part in zip(names, parts, strict=True):
        rows: list[list[Any]] = [["quantity", "of", "printed", "ours"]]
        for quantity, subject, shown in _keys(part):
            is_in_text = name == "Text on evaluation" and quantity in IN_TEXT
            value = IN_TEXT[quantity][0] if is_in_text else facts[quantity, subject][0]
            if not is_in_text:
                seen.add((quantity, subject))
            rows.append([quantity, subject or None, _as_printed(value, shown), _shows(own.get((quantity, subject)))])
        known = sum(row[3] is not None for row in rows[1:])
        number = [float(name[-1])] if name[-1].isdigit() else []
        summaries.append([*number, len(rows) - 1, known])
        row_count, known_count = row_count + len(rows) - 1, known_count + known
        tables.append(rows)
    assert seen == set(facts), "every fact is on the page"
    slip_rows: list[list[Any]] = [["quantity", "of", "printed", "consistent", "ours", "why"]]
    consistent = {key: right for key, (_, right) in facts.items() if right is not None}
    for quantity, subject, shown in _keys(slips):
        is_in_text = shown == IN_TEXT.get(quantity, ("",))[0]
        right = IN_TEXT[quantity][1] if is_in_text else consistent.pop((quantity, subject))
        value = IN_TEXT[quantity][0] if is_in_text else facts[quantity, subject][0]
        why = [3, VIDEOS] if is_in_text else _why(quantity, value)
        slip_rows.append(
            [quantity, subject, _as_printed(value, shown), [right], _shows(own.get((quantity, subject))), why]
        )
    assert not consistent, "every slip is on the page"
    reading = [row_count, known_count, len(slip_rows) - 1]
    return Exhibit(
        "the facts of the paper, and ours counted again", reading, tables=[slip_rows, *tables], summaries=summaries
    )


def _keys(table: Element) -> list[tuple[str, str, str]]:
    """(quantity, what it is of, what is printed) of each row below the head."""
    lines = [[one.text for one in line.named("th", "td")] for line in table.named("tr")[1:]]
    return [(quantity, "" if subject == "–" else subject, shown) for quantity, subject, shown, *_ in lines]


def _as_printed(value: Any, shown: str) -> Any:
    """A fact as its row prints it: words as they are; numbers, of shares maybe in percent; booleans as words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return [100 * value if shown.endswith("%") and value < 1 else value]


def _why(quantity: str, value: Any) -> list[float]:
    table = paper_facts()["table2"]
    if quantity == "duration mean":
        seconds = sum(table[domain]["clips"] * table[domain]["avg"] for domain in DOMAINS)
        clips = table["total"]["clips"]
        return [value, seconds / clips, table["total"]["avg"], seconds / 3600, 39]
    if quantity == "human label count":
        right = paper_facts()["human_annotated_consistent"]
        is_total = value > right["sticker"] + right["movie"]
        return [right["animation"], right["movie"], right["sticker"], 2] if is_total else [2, right["sticker"]]
    hits = _hits(float(value))
    is_cut_off = int(10000 * hits / VIDEOS) / 100 == float(value)
    return [hits, VIDEOS] if is_cut_off else [VIDEOS, hits]


def _leaders() -> Exhibit:
    best: list[Any] = []
    rows: list[list[Any]] = [list(LEADERS_HEAD)]
    for task in ("T2V", "I2V"):
        there = sorted((row for row in table_3() if row["task"] == task), key=lambda row: -float(row["ea8"]))
        best += [task, float(there[0]["ea8"])]
        for row in there:
            share = float(row["ea8"])
            is_whole = abs(100 * _hits(share) / VIDEOS - share) < 0.01
            ends = proportion_confint(_hits(share), VIDEOS, method="wilson") if is_whole else None
            values = [[float(row[column])] if row[column] else None for column in COLUMNS]
            rows.append([row["method"], task, VIDEOS, *values, [100 * end for end in ends] if ends else None])
    # A name with a digit is shown as a number would be.
    impossible = [
        (check, [float(row[column]), f"EA-{column[-1]}", *re.findall(r"\S*\d\S*", row["method"]), row["task"]])
        for row in sorted(table_3(), key=lambda row: (row["task"] == "I2V", -float(row["ea8"])))
        for column in ("ea2", "ea8")
        if (check := row[f"{column}_check"]) != "exact"
    ]
    named = [
        value
        for wanted in ("not k/240", "truncated")
        for check, values in impossible
        if check == wanted
        for value in values
    ]
    return Exhibit("the facts of the paper, statsmodels", best, notes=["T2V", "I2V", *named], tables=[rows])
