"""Every query of docs/cookbook.md runs and answers its question on a small planted library."""

import re
from pathlib import Path
from typing import Any

import pytest

from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import label

COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook.md"
QUERIES = dict(re.findall(r"^## (.+?)\n.*?```sql\n(.+?);\n```", COOKBOOK.read_text(encoding="utf-8"), re.M | re.S))

CLIPS = {
    # clip: emotion, label source, brightness, duration_s, film
    "movie-a": ("fear", "human", 0.2, 6.0, "jaws"),
    "movie-b": ("fear", "vlm", 0.7, 7.0, "jaws"),
    "movie-c": ("sadness", "human", 0.4, 12.5, "jaws"),
    "movie-d": ("sadness", "vlm", 0.3, 10.0, "up"),
    "movie-e": ("awe", "human", 0.9, 5.0, None),
}
ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "Which clips are disputed?": [("movie-a", ["fear", "awe", "fear"], ["anna", "ben", "cleo"])],
    "Which are the brightest fear scenes?": [
        ("movie-b", 0.7, None, "media/movie-b.mp4"),
        ("movie-a", 0.2, None, "media/movie-a.mp4"),
    ],
    "Which films dominate?": [("jaws", 3, 75.0), ("up", 1, 25.0)],
    "What is in quarantine, and what should I do?": [
        ("movie", "source_videos", "truncated", 1, "library/movie/x.mp4", "Fetch the file again.")
    ],
    "Which sadness clips are longer than ten seconds?": [("movie-c", 12.5, "Rain.")],
    "Where do people and the labeller disagree?": [("awe", "excitement", 1)],
    "Which labels are least certain?": [
        ("movie-d", "sadness", 0.5, "some thumbnail_path"),
        ("movie-b", "fear", 0.8, "some thumbnail_path"),
    ],
    "What follows fear?": [("fear", 1, 0.5), ("sadness", 1, 0.5)],
    "Is brightness only a matter of domain?": [("movie", False, 3, 0.0), ("movie", True, 2, 0.5)],
    "Which clips have no licence on record?": [("movie", 1)],
}


@pytest.fixture
def planted(library: Library) -> Library:
    def rows(**columns: Any) -> list[dict[str, Any]]:
        return [
            {"domain": "movie", "clip_id": clip} | {name: make(clip, *CLIPS[clip]) for name, make in columns.items()}
            for clip in CLIPS
        ]

    library.plant(
        "clips", rows(source_id=lambda clip, *_: f"source-{clip}", duration_s=lambda _c, _e, _l, _b, d, _f: d)
    )
    library.plant(
        "source_videos",
        [
            {"domain": "movie", "source_id": f"source-{clip}", "film_id": film, "license": film and "CC BY"}
            for clip, (*_, film) in CLIPS.items()
        ],
    )
    library.plant("clip_media", rows(media_path=lambda clip, *_: f"media/{clip}.mp4"))
    library.plant(
        "colour_attributes",
        rows(brightness=lambda _c, _e, _l, b, *_: b, brightness_mean=lambda _c, _e, _l, b, *_: b),
    )
    labels = [label(clip, "movie", emotion, source) for clip, (emotion, source, *_) in CLIPS.items()]
    for row, confidence in zip(labels, (1.0, 0.8, 1.0, 0.5, 1.0), strict=True):
        row["confidence"] = confidence
    library.plant("emotion_labels", labels)
    library.plant("human_labels", [{"domain": "movie", "clip_id": "movie-e", "emotion": "awe"}])
    library.plant("vlm_labels", [{"domain": "movie", "clip_id": "movie-e", "emotion": "excitement"}])
    library.plant("captions", [{"domain": "movie", "clip_id": "movie-c", "caption": "Rain."}])
    library.plant(
        "human_annotations",
        [
            {"domain": "movie", "clip_id": "movie-a", "annotator_id": person, "label": choice}
            for person, choice in (("anna", "fear"), ("ben", "awe"), ("cleo", "fear"))
        ],
    )
    library.plant(
        "segments",
        [
            {"domain": "movie", "source_id": "s", "scene_index": index, "clip_id": clip, "is_kept": True}
            for index, clip in enumerate(["movie-a", "movie-b", "movie-c"])
        ],
    )
    library.plant(
        "processing_errors",
        [
            {
                "domain": "movie",
                "asset": "source_videos",
                "item_id": "x",
                "path": "library/movie/x.mp4",
                "code": "truncated",
                "message": "Fetch the file again.",
            }
        ],
    )
    return library


@pytest.mark.parametrize("question", ANSWERS)
def test_a_query_of_the_cookbook_answers_its_question(planted: Library, question: str) -> None:
    assert [tuple(row.values()) for row in planted.query(QUERIES[question])] == ANSWERS[question]


def test_the_cookbook_lists_all_short_cells_of_an_empty_benchmark(planted: Library) -> None:
    rows = planted.query(QUERIES["Which benchmark cells are short?"])
    assert len(rows) == 24
    assert {row["missing_count"] for row in rows} == {10}


def test_no_query_of_the_cookbook_is_untested() -> None:
    assert set(QUERIES) == {*ANSWERS, "Which benchmark cells are short?"}
