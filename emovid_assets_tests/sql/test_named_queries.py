"""Every named query runs, on an empty library too, and answers its question on a small planted one."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.core.placing import remove
from emovid_assets.home.folders import Home
from emovid_assets.pages import reference
from emovid_assets.queries.named import (
    NamedQueryError,
    ad_hoc_values,
    did_you_mean,
    parse,
    read_named_queries,
    settings,
)
from emovid_assets.resources.release.snapshots import make_snapshot
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import SQL_FOLDER, label

QUERIES = read_named_queries(SQL_FOLDER / "queries")

CLIPS = {
    # clip: emotion, label source, brightness, duration_s, film
    "movie-a": ("fear", "human", 0.2, 6.0, "jaws"),
    "movie-b": ("fear", "vlm", 0.7, 7.0, "jaws"),
    "movie-c": ("sadness", "human", 0.4, 12.5, "jaws"),
    "movie-d": ("sadness", "vlm", 0.3, 10.0, "up"),
    "movie-e": ("awe", "human", 0.9, 5.0, None),
}
CONFIDENCES = dict(zip(CLIPS, (1.0, 0.8, 1.0, 0.5, 1.0), strict=True))

# Query, what is typed, and the whole answer.
ANSWERS: list[tuple[str, dict[str, str], list[tuple[Any, ...]]]] = [
    ("disputed_clips", {}, [("movie-a", 2, ["fear", "awe", "fear"], ["anna", "ben", "cleo"])]),
    ("disputed_clips", {"domain": "sticker"}, []),
    ("labeller_confusions", {}, [("awe", "excitement", 1)]),
    ("people_confuse", {}, [("awe", "fear", 2, 66.7)]),
    (
        "annotate_next",
        {},
        [
            ("movie-d", "sadness", 0.5, "some thumbnail_path"),
            ("movie-b", "fear", 0.8, "some thumbnail_path"),
        ],
    ),
    ("annotate_next", {"limit": "1"}, [("movie-d", "sadness", 0.5, "some thumbnail_path")]),
    ("typical_clips", {"emotion": "fear"}, [("movie-a", 2, 0.9, None, "media/movie-a.mp4")]),
    ("typical_clips", {}, []),
    (
        "odd_annotators",
        {},
        # Asked of two people: p is doubled. Nothing is asked of Dora, whose clips are of too few sources.
        [
            ("ben", "label", 10, 0.4, 0.3, 0.008, True),
            ("anna", "label", 20, 0.75, -0.1, 1.0, False),
            ("dora", "label", 4, 0.25, 0.5, None, None),
        ],
    ),
    ("lost_labels", {}, [("movie-d", "movie", "no_majority", None, "media/movie-d.mp4")]),
    (
        "brightest_clips",
        {},
        [("movie-b", 0.7, None, "media/movie-b.mp4"), ("movie-a", 0.2, None, "media/movie-a.mp4")],
    ),
    ("brightest_clips", {"emotion": "awe"}, [("movie-e", 0.9, None, "media/movie-e.mp4")]),
    ("clips_about", {"words": "RAIN"}, [("movie-c", 12.5, "human", 1.0, "It rains.")]),
    ("clips_about", {"words": "sun"}, []),
    ("clips_about", {"min_s": "12.5"}, []),
    ("clips_about", {"min_s": "9", "min_confidence": "0.4"}, [("movie-c", 12.5, "human", 1.0, "It rains.")]),
    # 355 and 5 degrees lie around red; 5 is 25 away from 340 across zero.
    ("clips_of_hue", {}, [("movie-a", "fear", 355.0, 0.9), ("movie-b", "fear", 5.0, 0.8)]),
    ("clips_of_hue", {"hue_deg": "340"}, [("movie-a", "fear", 355.0, 0.9)]),
    ("clips_of_hue", {"hue_deg": "120", "within_deg": "0"}, [("movie-c", "sadness", 120.0, 0.7)]),
    (
        "near_duplicates",
        {},
        [("two films", 2, 2, ["movie"], ["near_duplicate", "source"], ["movie-c", "movie-d"])],
    ),
    ("what_follows", {}, [("fear", 1, 0.5), ("sadness", 1, 0.5)]),
    ("what_follows", {"emotion": "awe"}, []),
    ("brightness_by_domain", {}, [("movie", False, 3, 0.0), ("movie", True, 2, 0.5)]),
    ("dominant_films", {}, [("jaws", 3, 60.0, 5), ("up", 1, 20.0, 5), ("no film named", 1, 20.0, 5)]),
    (
        "dominant_films",
        {"limit": "1"},
        [("jaws", 3, 60.0, 5), ("other films", 1, 20.0, 5), ("no film named", 1, 20.0, 5)],
    ),
    (
        "sources_without_clips",
        {},
        [
            ("movie", "library/movie/short.mp4", "too_short", "All segments were dropped; the longest lasts 2.5 s."),
            ("movie", "library/movie/uncut.mp4", "not cut", "No segments: see the quarantine, or build segments."),
            ("movie", "library/movie/x.mp4", "truncated", "Fetch the file again."),
        ],
    ),
    ("quarantine", {}, [("movie", "source_videos", "truncated", 1, "library/movie/x.mp4", "Fetch the file again.")]),
    ("hours_per_licence", {}, [(None, "movie", 1, 0.001), ("CC BY", "movie", 4, 0.01)]),
    ("lost_material", {}, [("movie", "kept", 3, 0.43, 86.7), ("movie", "too_short", 2, 0.07, 13.3)]),
    ("duplicate_files", {}, [("library/movie/uncut.mp4", ["library/movie/copy.mp4"], 100)]),
    (
        "benchmark_prompts",
        {"domain": "movie"},
        [("movie-c", "movie", "sadness", "Cry.", "c.png")],
    ),
    ("leaks", {}, [("film", "jaws", 1, 1, ["movie"])]),
    ("split_sizes", {}, [("benchmark", "movie", 1, 0.003, 0.002), ("train", "movie", 2, 0.005, 0.004)]),
    (
        "rejected_answers",
        {},
        [("answers.csv", "unknown_clip", 2, "No such clip."), ("answers.csv", "unknown_label", 1, "No such label.")],
    ),
    ("incomplete_clips", {}, [("movie", 5, 0, 0, 0, 4)]),
    (
        "labeller_comparison",
        {},
        [
            ("majority", "tuned", "fine_tuned", 40, 0.8, 0.7, 0.9, 0.75, 0.7, 0.05, 0.6, 0.25, 900.0),
            ("majority", "base", "zero_shot", 40, 0.5, 0.4, 0.6, 0.45, 0.4, 0.15, 1.2, 0.25, 900.0),
        ],
    ),
    ("agreement", {}, [("total", 0.7, 0.68, 0.02, "model_agrees_less", 0.0, 0.1, 300)]),
]
ELSEWHERE = {
    "warnings",
    "before_and_after",
    "changes_since",
    "generated_emotions",
    "generator_differences",
    "label_sources",
    "paper_and_ours",
    "paper_slips",
    "short_cells",
    "tables_written",
    "training_balance",
    "tuned_models",
}


def ask(library: Library, name: str, typed: Mapping[str, str] | None = None) -> list[tuple[Any, ...]]:
    query = QUERIES[name]
    values: dict[str, Any] = dict(query.values(typed or {}))
    if "$home" in query.sql:
        values["home"] = str(library.home)
    with library.opened() as connection:
        rows: list[tuple[Any, ...]] = connection.execute(query.sql, values or None).fetchall()
        return rows


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the warehouse of the first test is kept for the others."""
    return tmp_path_factory.mktemp("planted") / "warehouse"


@pytest.fixture
def planted(library: Library, kept: Path) -> Library:
    if not kept.exists():
        _plant_clips(library)
        with library.opened():
            shutil.copytree(library.home / "warehouse", kept)
    else:
        shutil.copytree(kept, library.home / "warehouse")
    return library


def _plant_clips(library: Library) -> None:
    def rows(*clips: str, **columns: Any) -> list[dict[str, Any]]:
        return [
            {"domain": "movie", "clip_id": clip} | {name: make(clip, *CLIPS[clip]) for name, make in columns.items()}
            for clip in clips or CLIPS
        ]

    library.plant("clips", rows(source_id=lambda c, *_: f"source-{c}", duration_s=lambda _c, _e, _l, _b, d, _f: d))
    sources = [
        {"domain": "movie", "source_id": f"source-{clip}", "film_id": film, "license": film and "CC BY"}
        | {"sha256": f"hash of {clip}"}
        for clip, (*_, film) in CLIPS.items()
    ]
    uncut = {"path": "library/movie/uncut.mp4", "duplicate_paths": ["library/movie/copy.mp4"], "size_bytes": 100}
    sources.append({"domain": "movie", "source_id": "uncut"} | uncut)
    sources.append({"domain": "movie", "source_id": "short", "path": "library/movie/short.mp4"})
    library.plant("source_videos", sources)
    library.plant(
        "clip_media",
        rows(
            media_path=lambda clip, *_: f"media/{clip}.mp4",
            sha256=lambda clip, *_: f"hash of {clip}",
            size_bytes=lambda *_: 2_000_000,
        ),
    )
    hues = {"movie-a": (355.0, 0.9), "movie-b": (5.0, 0.8), "movie-c": (120.0, 0.7), "movie-d": (0.0, 0.1)}
    library.plant(
        "colour_attributes",
        rows(
            brightness=lambda _c, _e, _l, b, *_: b,
            brightness_mean=lambda _c, _e, _l, b, *_: b,
            hue_chromatic_deg=lambda clip, *_: hues.get(clip, (None, 0.0))[0],
            hue_resultant=lambda clip, *_: hues.get(clip, (None, 0.0))[1],
            chromatic_share=lambda *_: 0.8,
        ),
    )
    labels = [label(clip, "movie", emotion, source) for clip, (emotion, source, *_) in CLIPS.items()]
    library.plant("emotion_labels", [row | {"confidence": CONFIDENCES[row["clip_id"]]} for row in labels])
    agreed = {"domain": "movie", "outcome": "agreed"}
    library.plant(
        "human_labels",
        [
            agreed | {"clip_id": "movie-a", "emotion": "fear", "agree_count": 2},
            agreed | {"clip_id": "movie-e", "emotion": "awe", "agree_count": 3},
            {"domain": "movie", "clip_id": "movie-d", "outcome": "no_majority"},
        ],
    )
    library.plant(
        "vlm_labels",
        [
            {"domain": "movie", "clip_id": "movie-e", "emotion": "excitement"},
            {"domain": "movie", "clip_id": "movie-a", "emotion": "fear", "confidence": 0.9},
        ],
    )
    library.plant("captions", [{"domain": "movie", "clip_id": "movie-c", "caption": "It rains."}])
    library.plant(
        "human_annotations",
        [
            {"domain": "movie", "clip_id": "movie-a", "annotator_id": person, "label": choice}
            for person, choice in (("anna", "fear"), ("ben", "awe"), ("cleo", "fear"))
        ],
    )
    quality = {"domain": "movie", "purpose": "label"}
    library.plant(
        "annotator_quality",
        [
            quality
            | {"annotator_id": "anna", "compared_count": 20, "agree_count": 15}
            | {"deviation": -0.1, "deviation_p_value": 0.9},
            quality
            | {"annotator_id": "ben", "compared_count": 10, "agree_count": 4}
            | {"deviation": 0.3, "deviation_p_value": 0.004},
            quality | {"annotator_id": "dora", "compared_count": 4, "agree_count": 1, "deviation": 0.5},
            quality | {"annotator_id": "cleo", "compared_count": 0},
        ],
    )
    library.plant(
        "segments",
        [
            {"domain": "movie", "source_id": "s", "scene_index": index, "clip_id": clip, "is_kept": True}
            | {"duration_s": CLIPS[clip][3]}
            for index, clip in enumerate(["movie-a", "movie-b", "movie-c"])
        ]
        + [
            {"domain": "movie", "source_id": "short", "scene_index": index, "is_kept": False, "duration_s": length}
            | {"drop_reason": "too_short", "clip_id": f"dropped-{index}"}
            for index, length in enumerate((2.5, 1.4))
        ],
    )
    library.plant(
        "processing_errors",
        [
            {"domain": "movie", "asset": "source_videos", "item_id": "x", "path": "library/movie/x.mp4"}
            | {"code": "truncated", "message": "Fetch the file again."}
        ],
    )
    library.plant(
        "clip_groups",
        [
            {"domain": "movie", "clip_id": "movie-a", "group_id": "jaws", "reason": "source"},
            {"domain": "movie", "clip_id": "movie-b", "group_id": "jaws", "reason": "film"},
            {"domain": "movie", "clip_id": "movie-c", "group_id": "two films", "reason": "source"},
            {"domain": "movie", "clip_id": "movie-d", "group_id": "two films", "reason": "near_duplicate"},
        ],
    )
    split = {"domain": "movie", "split": "train"}
    library.plant(
        "benchmark_split",
        [
            split | {"clip_id": "movie-b", "group_id": "jaws", "emotion": "fear"},
            split | {"clip_id": "movie-d", "group_id": "two films", "emotion": "sadness"},
            split
            | {"clip_id": "movie-c", "group_id": "two films", "emotion": "sadness", "split": "benchmark"}
            | {"prompt": "Cry.", "first_frame_path": "c.png"},
        ],
    )


def _plant_ratings(library: Library) -> None:
    library.plant("pooled_kappa", [{"rater_a": "anna", "rater_b": "ben"}])
    statistic = {"scope": "total", "emotion": "all"}
    library.plant(
        "agreement_statistics",
        [
            statistic | {"statistic": "pooled_kappa_human_human", "value": 0.7},
            statistic | {"statistic": "pooled_kappa_human_vlm", "value": 0.68},
            statistic | {"statistic": "kappa_gap", "value": 0.02, "low": 0.0, "high": 0.1, "required_clip_count": 300},
        ],
    )
    compared = {"scope": "total", "truth": "majority", "clip_count": 40, "model_s_per_clip": 0.25}
    compared |= {"prompt_tokens_per_clip": 900.0}
    measures = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "kappa", "ece", "nll")
    values = {
        ("base", "zero_shot"): (0.5, 0.4, 0.6, 0.45, 0.4, 0.15, 1.2),
        ("tuned", "fine_tuned"): (0.8, 0.7, 0.9, 0.75, 0.7, 0.05, 0.6),
    }
    rows = [
        compared | {"rater_id": rater, "rater_kind": kind} | dict(zip(measures, measured, strict=True))
        for (rater, kind), measured in values.items()
    ]
    library.plant("labeller_comparison", [*rows, rows[0] | {"scope": "movie"}])
    rejected = {"domain": "movie", "file_path": "answers.csv", "reason": "unknown_clip", "message": "No such clip."}
    library.plant(
        "rejected_annotations",
        [
            rejected | {"row_number": 1},
            rejected | {"row_number": 2},
            rejected | {"row_number": 3, "reason": "unknown_label", "message": "No such label."},
        ],
    )


@pytest.mark.parametrize(("name", "typed", "expected"), ANSWERS)
def test_a_named_query_answers_its_question(
    planted: Library, name: str, typed: dict[str, str], expected: list[tuple[Any, ...]]
) -> None:
    if name in ("agreement", "labeller_comparison", "rejected_answers"):
        _plant_ratings(planted)
    if name == "leaks":
        # Here the two films are apart, and only the film is on both sides.
        split = {"domain": "movie", "emotion": "fear"}
        planted.plant(
            "benchmark_split",
            [
                split | {"clip_id": "movie-a", "split": "benchmark", "group_id": "a"},
                split | {"clip_id": "movie-b", "split": "train", "group_id": "b"},
            ],
        )
    assert ask(planted, name, typed) == expected


def test_no_named_query_is_untested() -> None:
    assert set(QUERIES) == {name for name, *_ in ANSWERS} | ELSEWHERE


def test_there_are_more_than_twenty_questions_and_no_two_alike() -> None:
    assert len(QUERIES) > 20
    assert len({query.question for query in QUERIES.values()}) == len(QUERIES)


@pytest.mark.parametrize("name", sorted(set(QUERIES) - {"changes_since", "tables_written"}))
def test_a_named_query_runs_on_an_empty_library(library: Library, name: str) -> None:
    ask(library, name)


def test_the_share_of_a_film_is_of_all_clips_also_where_most_sources_name_none(library: Library) -> None:
    films = ["a"] * 5 + ["b"] + [None] * 9
    library.plant("clips", [{"domain": "movie", "clip_id": f"c{n}", "source_id": f"s{n}"} for n in range(len(films))])
    library.plant(
        "source_videos", [{"domain": "movie", "source_id": f"s{n}", "film_id": film} for n, film in enumerate(films)]
    )
    assert ask(library, "dominant_films") == [("a", 5, 33.3, 15), ("b", 1, 6.7, 15), ("no film named", 9, 60.0, 15)]


def test_short_cells_and_the_balance_show_every_cell(planted: Library) -> None:
    short = ask(planted, "short_cells")
    assert len(short) == 24
    assert ("movie", "sadness", 1, 9) in short
    balance = ask(planted, "training_balance")
    assert len(balance) == 24
    assert [row for row in balance if row[2]] == [("movie", "fear", 1, 4.0), ("movie", "sadness", 1, 4.0)]
    assert balance[-1] == ("sticker", "sadness", 0, None)


def test_people_are_counted_among_the_labels(planted: Library) -> None:
    rows = {domain: rest for domain, *rest in ask(planted, "label_sources")}
    assert rows["movie"] == rows["total"] == [5, 3, 60.0]
    assert rows["sticker"] == [0, 0, None]


def test_the_questions_about_the_paper_are_answered_from_its_views(planted: Library) -> None:
    slips = ask(planted, "paper_slips")
    assert ("Table 2", "duration_mean", "movie", "8.75", 8.05) in [row[:5] for row in slips]
    ours = {(quantity, domain): value for _, quantity, domain, _, _, _, value, _ in ask(planted, "paper_and_ours")}
    assert ours["clip_count", "movie"] == 5
    assert [row[:3] for row in ask(planted, "tuned_models")] == [
        ("T2V", "WanVideo (before)", 44.16),
        ("T2V", "WanVideo (after)", 48.33),
        ("I2V", "WanVideo (before)", 71.3),
        ("I2V", "WanVideo (after)", 76.25),
    ]


def _plant_states(library: Library) -> None:
    """Afterwards `movie-d` is gone, `movie-f` is new, `movie-a` has another label and `movie-c` another caption."""
    library.plant("clips", [{"domain": "movie", "clip_id": f"movie-{letter}"} for letter in "abcef"])
    labels = {"movie-a": "awe", "movie-b": "fear", "movie-c": "sadness", "movie-e": "awe", "movie-f": "awe"}
    library.plant("emotion_labels", [label(clip, "movie", emotion) for clip, emotion in labels.items()])
    library.plant("captions", [{"domain": "movie", "clip_id": "movie-c", "caption": "It pours."}])


CHANGES = [
    ("movie-f", "added", None, None, None),
    ("movie-c", "changed", "caption", "It rains.", "It pours."),
    ("movie-a", "changed", "emotion", "fear", "awe"),
    ("movie-d", "removed", None, None, None),
]


def test_changes_are_found_against_a_snapshot(planted: Library) -> None:
    planted.query("select 1")
    remove(planted.home / "snapshots")
    make_snapshot(Home(planted.home), "before")
    assert ask(planted, "changes_since", {"before": "before"}) == []
    _plant_states(planted)
    found = ask(planted, "changes_since", {"before": "before"})
    # What follows a clip, and what else is known of its label, changes with that.
    assert [row for row in found if row[2] in (None, "caption", "emotion")] == CHANGES


def test_tables_are_listed_by_the_time_of_their_files(planted: Library) -> None:
    ask(planted, "tables_written")
    files = sorted((planted.home / "warehouse").glob("**/part-0.parquet"))
    for index, path in enumerate(files):
        os.utime(path, (1_700_000_000 + index, 1_700_000_000 + index))
    rows = ask(planted, "tables_written")
    assert len(rows) == len(files)
    assert rows[0][:2] == (files[-1].parent.parent.name, "movie")
    assert int(rows[0][2].timestamp()) == 1_700_000_000 + len(files) - 1
    assert rows[0][3] == files[-1].stat().st_size


def test_the_cookbook_has_every_question_with_its_query_and_command() -> None:
    page = reference.render_cookbook(QUERIES.values())
    sections = dict(re.findall(r"^### (.+?)\n.*?```sql\n(.+?);\n```", page, re.M | re.S))
    assert sections == {query.question: query.sql for query in QUERIES.values()}
    assert all(f"`emovid sql --name {name}" in page for name in QUERIES)
    assert "`emovid sql --name changes_since --set before=…`" in page


def test_all_parameters_of_the_files_are_in_their_queries_and_the_other_way_round() -> None:
    for query in QUERIES.values():
        named = set(re.findall(r"\$(\w+)", query.sql)) - {"home"}
        assert named == {parameter.name for parameter in query.parameters}, query.name


HEADER = """\
-- question: Why?
-- topic: clips
-- answer: Because
--   of that.
-- parameters:
--   count (BIGINT, 3): how many,
--     at most
--   domain (VARCHAR, null): which
--   path (VARCHAR, required): where
select $count, $domain, $path;
"""


def test_a_header_is_read_with_its_continued_lines() -> None:
    query = parse("why", HEADER)
    assert (query.question, query.answer, query.sql) == ("Why?", "Because of that.", "select $count, $domain, $path")
    assert query.parameters[0].meaning == "how many, at most"
    assert query.values({"path": "a=b"}) == {"count": 3, "domain": None, "path": "a=b"}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({}, "needs --set path=…: where"),
        ({"path": "x", "count": "many"}, "count='many': give a value of type BIGINT"),
        ({"path": "x", "domain": "film"}, "domain='film': use one of movie, animation, sticker"),
        ({"path": "x", "limit": "1"}, "no parameter 'limit'; its parameters are count, domain, path"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(typed: dict[str, str], told: str) -> None:
    with pytest.raises(NamedQueryError) as raised:
        parse("why", HEADER).values(typed)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("-- topic: clips", "-- topic: cats", "a topic out of labels, clips"),
        ("-- answer: Because\n--   of that.\n", "", "needs question, answer"),
        ("-- topic: clips", "-- question: Who?", "line 2: the keys are question, topic, answer, parameters, each once"),
        ("(BIGINT, 3)", "(BIGINT)", "line 6: cannot be read"),
        ("(BIGINT, 3)", "(DATE, 3)", "the type of count is none of VARCHAR, BIGINT, DOUBLE"),
    ],
)
def test_a_wrong_header_is_refused_with_its_place(was: str, becomes: str, told: str) -> None:
    with pytest.raises(NamedQueryError) as raised:
        parse("why", HEADER.replace(was, becomes))
    assert told in str(raised.value)


def test_settings_are_names_and_values() -> None:
    assert settings(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    for wrong, told in (["a"], "write it as name=value"), (["1=a"], "write it"), (["a=1", "a=2"], "there twice"):
        with pytest.raises(NamedQueryError, match=told):
            settings(wrong)


def test_values_of_own_queries_are_numbers_only_where_nothing_is_lost() -> None:
    typed = {"a": "7", "b": "0.5", "c": "007", "d": "movie", "e": "null", "f": "1_000"}
    assert ad_hoc_values(typed) == {"a": 7, "b": 0.5, "c": "007", "d": "movie", "e": None, "f": "1_000"}


def test_near_names_are_offered() -> None:
    assert did_you_mean("Disputed_clip", QUERIES).startswith("; did you mean disputed_clips")
    assert did_you_mean("xyz", QUERIES) == ""
