"""What is joined and counted when it is built, against loops in Python over random tables."""

from collections import Counter, defaultdict
from itertools import groupby
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from emovid_assets.core import phrases
from emovid_assets.core.clip_facts import FACTS, TABLES_READ, joined, wanted
from emovid_assets.core.disputes import disputed_clips_query
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.sql.planting import answer_of, phrase_counts_of, row

Rows = dict[str, list[dict[str, Any]]]


def random_tables(random: Random, sources: str = "abc") -> Rows:
    """Sources with kept and dropped segments; every other table knows some of the clips."""
    tables: Rows = {name: [] for name in TABLES_READ}
    for source in sources:
        if random.random() < 0.8:
            tables["source_videos"].append(row("source_videos", source_id=source, path=f"{source}.mp4"))
        for index in range(random.randrange(12)):
            keys = {"clip_id": f"{source}-{index:02}", "source_id": source, "scene_index": index}
            is_kept = random.random() < 0.7
            tables["segments"].append(row("segments", **keys, is_kept=is_kept))
            if is_kept:
                tables["clips"].append(row("clips", **keys))
    for name in set(FACTS) - {"clips", "source_videos"}:
        for clip in tables["clips"]:
            if random.random() < 0.7:
                tables[name].append(row(name, clip_id=clip["clip_id"]))
    for labelled in tables["emotion_labels"]:
        labelled["emotion"] = random.choice(EMOTION_NAMES)
    for captioned in tables["captions"]:
        captioned["caption"] = random.choice(["", "  ", "A street."])
    return tables


def in_arrow(tables: Rows) -> dict[str, pa.Table]:
    return {name: TABLES[name].from_rows(rows) for name, rows in tables.items()}


def facts_of(tables: Rows, random: Random) -> list[dict[str, Any]]:
    """By the product, of rows in any order."""
    with duckdb.connect() as connection:
        for name, rows in in_arrow(tables).items():
            order = random.sample(range(rows.num_rows), rows.num_rows) if random.random() < 0.5 else None
            connection.register(name, rows.take(order) if order else rows)
        found = joined({name: connection.sql(wanted(name)).to_arrow_table() for name in TABLES_READ})
    return found.cast(TABLES["clip_facts"].schema).to_pylist()


@pytest.mark.parametrize("seed", range(8))
def test_the_facts_of_a_clip_are_what_every_table_says_of_it(seed: int) -> None:
    tables = random_tables(Random(seed))
    facts = facts_of(tables, Random(seed))
    assert [fact["clip_id"] for fact in facts] == sorted(clip["clip_id"] for clip in tables["clips"])
    for fact in facts:
        for table, names in FACTS.items():
            key = "source_id" if table == "source_videos" else "clip_id"
            known = next((values for values in tables[table] if values[key] == fact[key]), {})
            assert {name: fact[name] for name in names.values()} == {
                name: known.get(column) for column, name in names.items()
            }
        caption = next((c["caption"] for c in tables["captions"] if c["clip_id"] == fact["clip_id"]), "")
        assert fact["has_caption"] == bool(caption.strip())


@pytest.mark.parametrize("seed", range(8))
def test_the_next_emotion_is_that_of_the_next_kept_segment_of_the_source(seed: int) -> None:
    tables = random_tables(Random(seed))
    emotions = {labelled["clip_id"]: labelled["emotion"] for labelled in tables["emotion_labels"]}
    expected: dict[str, tuple[str | None, bool | None]] = {}
    kept = [segment for segment in tables["segments"] if segment["is_kept"]]
    for _, group in groupby(kept, key=lambda segment: segment["source_id"]):
        scenes = list(group)
        for here, there in zip(scenes, [*scenes[1:], None], strict=True):
            expected[here["clip_id"]] = (
                (None, None)
                if there is None
                else (emotions.get(there["clip_id"]), there["scene_index"] == here["scene_index"] + 1)
            )
    facts = facts_of(tables, Random(seed))
    assert {fact["clip_id"]: (fact["next_emotion"], fact["is_next_adjacent"]) for fact in facts} == expected


@pytest.mark.parametrize("seed", range(4))
def test_disputed_clips_are_those_with_two_different_answers(seed: int) -> None:
    random = Random(seed)
    answers = [
        row("human_annotations", clip_id=f"c{clip}", purpose=purpose, annotator_id=person, label=random.choice(labels))
        for clip in range(8)
        for purpose, labels in (("label", EMOTION_NAMES[:2]), ("verify", ("accept", "reject")))
        for person in "abc"
        if random.random() < 0.8
    ]
    votes: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for answer in answers:
        votes[answer["clip_id"], answer["purpose"]][answer["annotator_id"]] = answer["label"]
    tables: Rows = {
        "human_annotations": answers,
        "human_labels": [row("human_labels", clip_id="c1", outcome="agreed", emotion="awe")],
        "vlm_labels": [row("vlm_labels", clip_id="c2", emotion="fear")],
    }
    expected = [
        {
            "clip_id": clip,
            "domain": answers[0]["domain"],
            "purpose": purpose,
            "vote_count": len(mine),
            "choice_count": len(set(mine.values())),
            "agree_count": max(Counter(mine.values()).values()),
            "votes": [mine[person] for person in sorted(mine)],
            "annotator_ids": sorted(mine),
            "human_outcome": "agreed" if clip == "c1" else None,
            "human_emotion": "awe" if clip == "c1" else None,
            "vlm_emotion": "fear" if clip == "c2" else None,
        }
        for (clip, purpose), mine in sorted(votes.items())
        if len(set(mine.values())) > 1
    ]
    assert answer_of(disputed_clips_query(), in_arrow(tables), "disputed_clips").to_pylist() == expected


Captions = list[tuple[str, list[str]]]
"""(emotion, words)"""


def _count_by_hand(captions: Captions) -> Counter[tuple[str, str]]:
    """(emotion, phrase) → captions, where the only stop word is `the`."""
    counts: Counter[tuple[str, str]] = Counter()
    for emotion, words in captions:
        parts = [words[i : i + size] for size in (2, 3, 4) for i in range(len(words) - size + 1)]
        counts.update({(emotion, " ".join(part)) for part in parts if "the" not in part})
    return counts


def _count(captions: Captions) -> dict[tuple[str, str], int]:
    tables: Rows = {
        "captions": [
            row("captions", clip_id=str(number), caption=" ".join(words)) for number, (_, words) in enumerate(captions)
        ],
        "emotion_labels": [
            row("emotion_labels", clip_id=str(number), emotion=emotion) for number, (emotion, _) in enumerate(captions)
        ],
    }
    rows = phrase_counts_of(in_arrow(tables)).to_pylist()
    assert all(entry["word_count"] == len(entry["phrase"].split()) for entry in rows)
    return {(entry["emotion"], entry["phrase"]): entry["caption_count"] for entry in rows}


def _random_captions(seed: int, count: int = 60) -> Captions:
    random = Random(seed)
    words = ["the", *(f"word{number}" for number in range(9))]
    return [
        (random.choice(["fear", "awe"]), [random.choice(words) for _ in range(random.randint(1, 12))])
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_every_phrase_is_counted_where_all_are_among_the_first_ranks(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phrases, "RANKS", 100_000)
    captions = _random_captions(seed)
    assert _count(captions) == dict(_count_by_hand(captions))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("least", ["1000", "6"])
def test_frequent_phrases_of_an_emotion_or_of_all_are_kept_with_all_their_counts(
    seed: int, least: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phrases, "RANKS", 5)
    monkeypatch.setattr(phrases, "_LEAST", least)
    captions = _random_captions(seed)
    every, kept = _count_by_hand(captions), _count(captions)
    wanted = set()
    totals: Counter[str] = Counter()
    for (_, phrase), count in every.items():
        totals[phrase] += count
    for emotion in ("fear", "awe"):
        fifth = sorted((count for (of, _), count in every.items() if of == emotion), reverse=True)[4]
        wanted |= {phrase for (of, phrase), count in every.items() if of == emotion and count >= fifth}
    wanted |= {phrase for phrase, total in totals.items() if total >= int(least)}
    assert kept == {key: count for key, count in every.items() if key[1] in wanted}
    assert len(wanted) < len(totals)


def test_a_phrase_with_a_word_for_any_emotion_is_marked() -> None:
    tables: Rows = {
        "captions": [row("captions", clip_id="a", caption="angry man, awe-struck child, dark tunnel, sadness")],
        "emotion_labels": [row("emotion_labels", clip_id="a", emotion="fear")],
    }
    found = {entry["phrase"]: entry["has_emotion_word"] for entry in phrase_counts_of(in_arrow(tables)).to_pylist()}
    assert found == {"angry man": True, "awe-struck child": True, "dark tunnel": False}
