"""The wide row of a clip, the counts per domain, and what people and quarantine left behind."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.tables.columns import OUTCOMES
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import NOON, label

DURATIONS_S = {"movie": [4.0, 9.5, 12.25, 30.0], "animation": [5.125]}


def _plant_clips(library: Library) -> None:
    for domain, durations in DURATIONS_S.items():
        library.plant(
            "clips",
            [
                {
                    "domain": domain,
                    "clip_id": f"{domain}-{i}",
                    "duration_s": d,
                    "has_audio": domain == "movie" and i > 0,
                }
                for i, d in enumerate(durations)
            ],
        )
    library.plant(
        "captions",
        [
            {"domain": "movie", "clip_id": "movie-0", "caption": "A street."},
            {"domain": "movie", "clip_id": "movie-1", "caption": "  "},
        ],
    )


def test_a_clip_row_joins_everything_that_is_known(library: Library) -> None:
    keys = {"domain": "movie", "clip_id": "movie-1-a"}
    library.plant("clips", [keys | {"source_id": "movie-1", "duration_s": 5.0, "sound_missing_s": 0.5}])
    source = {"domain": "movie", "source_id": "movie-1", "path": "library/x.mp4", "film_id": "film", "license": "CC0"}
    library.plant("source_videos", [source | {"colour_matrix": "bt709", "audio_track_index": 1}])
    library.plant("clip_media", [keys | {"media_path": "media/a.mp4", "sha256": "m"}])
    library.plant("colour_attributes", [keys | {"brightness": 0.3, "hue": 7, "chromatic_share": 0.5}])
    library.plant("human_labels", [keys | {"emotion": "fear", "outcome": "agreed", "agree_count": 2}])
    library.plant("vlm_labels", [keys | {"emotion": "awe", "confidence": 0.4}])
    library.plant("emotion_labels", [label("movie-1-a", "movie", "fear")])
    library.plant("captions", [keys | {"caption": "Dark."}])
    library.plant("benchmark_split", [keys | {"split": "train", "emotion": "fear", "prompt": "Dark. Fear."}])
    row = library.find("clip_catalogue", clip_id="movie-1-a")
    expected = {
        "source_path": "library/x.mp4",
        "film_id": "film",
        "license": "CC0",
        "colour_matrix": "bt709",
        "audio_track_index": 1,
        "sound_missing_s": 0.5,
        "media_path": "media/a.mp4",
        "media_sha256": "m",
        "brightness": 0.3,
        "hue": 7,
        "chromatic_share": 0.5,
        "human_emotion": "fear",
        "human_agree_count": 2,
        "vlm_emotion": "awe",
        "vlm_confidence": 0.4,
        "emotion": "fear",
        "polarity": "negative",
        "valence": 2.93,
        "label_source": "human",
        "caption": "Dark.",
        "split": "train",
        "prompt": "Dark. Fear.",
    }
    assert {name: row[name] for name in expected} == expected


def test_a_clip_that_no_stage_has_reached_is_still_a_row(library: Library) -> None:
    library.plant("clips", [{"domain": "movie", "clip_id": "alone"}])
    row = library.find("clip_catalogue", clip_id="alone")
    assert [row[name] for name in ("source_path", "media_path", "hue", "emotion", "caption", "split")] == [None] * 6


def test_statistics_are_those_of_numpy(library: Library) -> None:
    _plant_clips(library)
    lengths = np.array(DURATIONS_S["movie"])
    movie = library.find("dataset_statistics", domain="movie")
    assert movie["clip_count"] == 4
    assert movie["duration_mean_s"] == pytest.approx(lengths.mean())
    assert movie["duration_sd_s"] == pytest.approx(lengths.std(ddof=1))
    assert movie["duration_total_h"] == pytest.approx(lengths.sum() / 3600)
    every = np.concatenate(list(DURATIONS_S.values()))
    total = library.find("dataset_statistics", domain="total")
    assert (total["clip_count"], total["duration_sd_s"]) == (5, pytest.approx(every.std(ddof=1)))


def test_flags_say_whether_any_clip_has_it_and_shares_how_many(library: Library) -> None:
    _plant_clips(library)
    names = ("has_video", "has_audio", "has_caption", "video_share", "audio_share", "caption_share")
    rows = {row["domain"]: tuple(row[name] for name in names) for row in library.query("from dataset_statistics")}
    assert rows["movie"] == (True, True, True, 1.0, 0.75, 0.25)
    assert rows["animation"] == (True, False, False, 1.0, 0.0, 0.0)
    assert rows["sticker"] == (False, False, False, None, None, None)
    assert rows["total"] == (True, True, True, 1.0, pytest.approx(0.6), pytest.approx(0.2))


def test_a_domain_without_clips_has_zero_and_null(library: Library) -> None:
    _plant_clips(library)
    sticker = library.find("dataset_statistics", domain="sticker")
    assert (sticker["clip_count"], sticker["duration_mean_s"], sticker["duration_sd_s"]) == (0, None, None)
    assert library.find("dataset_statistics", domain="animation")["duration_sd_s"] is None


def test_the_comparison_computes_our_row_and_prints_the_others(library: Library) -> None:
    _plant_clips(library)
    rows = library.query("from dataset_comparison")
    assert [row["dataset"] for row in rows] == [
        "CAER",
        "MELD",
        "DEAP",
        "VEATIC",
        "MEAD",
        "DH-FaceEmoVid-150",
        "EmoVid",
    ]
    assert [row["is_computed"] for row in rows] == [False] * 6 + [True]
    ours = rows[-1]
    assert (ours["modalities"], ours["clip_count"], ours["content"]) == ("v,a,t", 5, "Animation, Movie")
    assert ours["duration_h"] == pytest.approx(sum(map(sum, DURATIONS_S.values())) / 3600)


def test_our_row_of_an_empty_library_claims_nothing(library: Library) -> None:
    ours = library.find("dataset_comparison", dataset="EmoVid")
    assert (ours["modalities"], ours["content"], ours["clip_count"], ours["duration_h"]) == (None, None, 0, 0)


def test_the_distribution_counts_every_cell_and_its_shares_sum_to_one(library: Library) -> None:
    planted = [
        ("movie", "fear", "human"),
        ("movie", "fear", "vlm"),
        ("movie", "awe", "vlm"),
        ("sticker", "awe", "human"),
    ]
    library.plant("emotion_labels", [label(f"{d}-{i}", d, e, source) for i, (d, e, source) in enumerate(planted)])
    rows = library.query("from emotion_distribution")
    assert [(row["domain"], row["emotion"]) for row in rows] == [
        (domain, emotion) for domain in (*DOMAINS, "total") for emotion in EMOTION_NAMES
    ]
    counts = Counter((domain, emotion) for domain, emotion, _ in planted)
    counts += Counter(("total", emotion) for _, emotion, _ in planted)
    assert {(r["domain"], r["emotion"]): r["clip_count"] for r in rows if r["clip_count"]} == counts
    for domain, size in {"movie": 3, "sticker": 1, "total": 4}.items():
        shares = [row["clip_share"] for row in rows if row["domain"] == domain]
        assert shares == [counts[domain, emotion] / size for emotion in EMOTION_NAMES]
    assert {row["clip_share"] for row in rows if row["domain"] == "animation"} == {None}
    fear = library.find("emotion_distribution", domain="movie", emotion="fear")
    assert (fear["human_label_count"], fear["vlm_label_count"]) == (1, 1)


def test_outcomes_are_counted_with_their_share_of_the_domain(library: Library) -> None:
    planted = [("movie", "agreed")] * 3 + [("movie", "no_majority")] + [("sticker", "rejected")]
    library.plant(
        "human_labels", [{"domain": d, "clip_id": f"{d}-{i}", "outcome": o} for i, (d, o) in enumerate(planted)]
    )
    rows = library.query("from human_labels_by_outcome")
    assert [(row["domain"], row["outcome"]) for row in rows] == [
        (domain, outcome) for domain in (*DOMAINS, "total") for outcome in OUTCOMES
    ]
    found = {(row["domain"], row["outcome"]): (row["clip_count"], row["clip_share"]) for row in rows}
    assert found["movie", "agreed"] == (3, 0.75)
    assert found["movie", "no_specific_emotion"] == (0, 0.0)
    assert found["total", "rejected"] == (1, 0.2)
    assert found["animation", "agreed"] == (0, None)


def _vote(clip_id: str, annotator_id: str, choice: str, purpose: str = "label") -> dict[str, object]:
    return {"domain": "movie", "clip_id": clip_id, "annotator_id": annotator_id, "label": choice, "purpose": purpose}


def test_a_disputed_clip_is_shown_with_all_its_votes(library: Library) -> None:
    library.plant(
        "human_annotations",
        [
            _vote("unanimous", "anna", "awe"),
            _vote("unanimous", "ben", "awe"),
            _vote("disputed", "cleo", "fear"),
            _vote("disputed", "anna", "fear"),
            _vote("disputed", "ben", "anger"),
            # One vote per purpose: nobody disagrees with anybody.
            _vote("unanimous", "anna", "fear", "review"),
        ],
    )
    library.plant("human_labels", [{"domain": "movie", "clip_id": "disputed", "emotion": "fear"}])
    library.plant("vlm_labels", [{"domain": "movie", "clip_id": "disputed", "emotion": "disgust"}])
    assert library.query("from label_disagreements") == [
        {
            "clip_id": "disputed",
            "domain": "movie",
            "purpose": "label",
            "vote_count": 3,
            "choice_count": 2,
            "agree_count": 2,
            "votes": ["fear", "anger", "fear"],
            "annotator_ids": ["anna", "ben", "cleo"],
            "human_outcome": "agreed",
            "human_emotion": "fear",
            "vlm_emotion": "disgust",
        }
    ]


def test_the_quarantine_is_counted_by_code_with_one_whole_example(library: Library) -> None:
    error = {"domain": "movie", "asset": "source_videos", "code": "truncated"}
    library.plant(
        "processing_errors",
        [
            error | {"item_id": "b", "path": "b.mp4", "message": "b!", "attempt_count": 2, "last_seen_at": NOON},
            error | {"item_id": "a", "message": "a!", "first_seen_at": NOON - timedelta(days=1)},
            error | {"item_id": "c", "code": "empty", "path": "c.mp4", "message": "c!"},
        ],
    )
    rows = library.query("from quarantine_by_code")
    assert [(row["code"], row["item_count"], row["attempt_count"]) for row in rows] == [
        ("truncated", 2, 3),
        ("empty", 1, 1),
    ]
    # The path stays null where the example has none: it must not come from another item.
    assert [(r["example_item_id"], r["example_path"], r["example_message"]) for r in rows] == [
        ("a", None, "a!"),
        ("c", "c.mp4", "c!"),
    ]
    assert (rows[0]["first_seen_at"], rows[0]["last_seen_at"]) == (NOON - timedelta(days=1), NOON)
