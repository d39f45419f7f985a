"""The tables of a built demo library agree with each other, with the files, and with an independent recount."""

import csv
import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.metrics import cohen_kappa_score

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.demo.annotators import LABEL_STUDIO_FILE, STICKER_FILE, VISITOR
from emovid_assets.demo.truth import Truth
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import Demo, all_rows, rows
from emovid_assets_tests.media.hashed_pictures import sha256_of_pictures

pytestmark = pytest.mark.integration

MEASURED = ("colour_attributes", "clip_features", "clip_fingerprints")
by_domain = pytest.mark.parametrize("domain", DOMAINS)


def ids(home: Path, table: str, domain: str) -> list[str]:
    return [row["clip_id"] for row in rows(home, table, domain)]


@by_domain
def test_every_kept_segment_is_a_clip_with_file_measurements_and_caption(demo: Demo, domain: str) -> None:
    kept = sorted(row["clip_id"] for row in rows(demo.home, "segments", domain) if row["is_kept"])
    assert len(kept) >= 8
    for table in ("clips", "clip_media", *MEASURED, "captions", "vlm_labels"):
        assert ids(demo.home, table, domain) == kept, table


def test_the_files_of_the_library_are_the_sources_but_for_the_two_damaged_ones(demo: Demo) -> None:
    truth = Truth.load(demo.home)
    sources = all_rows(demo.home, "source_videos")
    assert sorted(row["path"] for row in sources) == sorted(f"library/{name}" for name in truth.files)
    for row in sources:
        content = (demo.home / row["path"]).read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        assert (row["sha256"], row["size_bytes"]) == (sha256, len(content))
        assert row["source_id"] == f"{row['domain']}-{sha256[:16]}"


def test_the_quarantine_holds_the_two_damaged_files_and_says_what_to_do(demo: Demo) -> None:
    found = {row["path"]: row for row in all_rows(demo.home, "processing_errors")}
    assert {path: (row["asset"], row["code"]) for path, row in found.items()} == {
        "library/movie/interrupted-download.mp4": ("source_videos", "truncated"),
        "library/animation/storyboard-notes.mp4": ("source_videos", "not_a_video"),
    }
    assert {row["attempt_count"] for row in found.values()} == {1}
    assert all(row["message"].endswith(".") and len(row["message"]) > 30 for row in found.values())


@by_domain
def test_a_clip_id_names_source_start_and_end_in_milliseconds(demo: Demo, domain: str) -> None:
    for row in rows(demo.home, "clips", domain):
        start, end = (round(1000 * row[name]) for name in ("start_s", "end_s"))
        assert row["clip_id"] == f"{row['source_id']}-{start:08d}-{end:08d}"
        assert row["duration_s"] == pytest.approx(row["end_s"] - row["start_s"], abs=1e-6)
        assert row["fps"] == pytest.approx(row["frame_count"] / row["duration_s"])


@by_domain
def test_the_files_of_a_clip_are_there_and_are_what_the_tables_say(demo: Demo, domain: str) -> None:
    for row in rows(demo.home, "clip_media", domain):
        content = (demo.home / row["media_path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert len(content) == row["size_bytes"]
        assert (row["how"] == "copied") == (row["encoding_reason"] is None)
    for row in rows(demo.home, "clips", domain):
        with Image.open(demo.home / row["thumbnail_path"]) as picture:
            assert picture.format == "JPEG"
            assert picture.width / picture.height == pytest.approx(row["width_px"] / row["height_px"], rel=0.05)
    for row in rows(demo.home, "benchmark_split", domain):
        assert (row["first_frame_path"] is not None) == (row["split"] == "benchmark")
        if row["first_frame_path"]:
            with Image.open(demo.home / row["first_frame_path"]) as picture:
                assert picture.format == "PNG"


@by_domain
def test_the_pictures_of_a_clip_are_those_that_another_reader_hashes(demo: Demo, domain: str) -> None:
    counts = {row["clip_id"]: row["frame_count"] for row in rows(demo.home, "clips", domain)}
    files = {row["clip_id"]: row["media_path"] for row in rows(demo.home, "clip_media", domain)}
    for row in rows(demo.home, "clip_fingerprints", domain):
        assert row["picture_count"] == counts[row["clip_id"]]
        assert row["picture_sha256"] == sha256_of_pictures(demo.home / files[row["clip_id"]])
        assert len(row["hash_times_s"]) == len(row["picture_hashes"])
        assert row["hash_times_s"] == sorted(set(row["hash_times_s"]))
        assert row["hash_times_s"][0] == 0


def answers_in_files(home: Path) -> dict[tuple[str, str], list[str]]:
    """Labels by (clip, purpose), read with nothing but json and csv, without those of the visitor."""
    folder = home / "library" / "annotations"
    found = defaultdict(list)
    for task in json.loads((folder / LABEL_STUDIO_FILE).read_text(encoding="utf-8")):
        for annotation in task["annotations"]:
            if annotation["completed_by"]["email"] != VISITOR:
                (label,) = annotation["result"][0]["value"]["choices"]
                found[task["data"]["clip_id"], task["data"]["purpose"]].append(label)
    with (folder / STICKER_FILE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["annotator_id"] != VISITOR:
                found[row["clip_id"], row["purpose"]].append(row["label"])
    return dict(found)


def test_the_annotations_are_all_of_the_files_but_for_the_bad_ones_which_are_kept_with_reasons(demo: Demo) -> None:
    accepted = defaultdict(list)
    for row in all_rows(demo.home, "human_annotations"):
        accepted[row["clip_id"], row["purpose"]].append(row["label"])
        assert row["tool"] == "simulated"
    expected = answers_in_files(demo.home)
    assert {key: sorted(labels) for key, labels in accepted.items()} == {
        key: sorted(labels) for key, labels in expected.items()
    }
    rejected = all_rows(demo.home, "rejected_annotations")
    assert Counter(row["reason"] for row in rejected) == {"unknown_label": 2, "unknown_clip": 2, "unknown_purpose": 1}
    assert {row["annotator_id"] for row in rejected} == {VISITOR}


@pytest.mark.parametrize("domain", ["movie", "animation"])
def test_a_human_label_is_the_majority_of_a_recount(demo: Demo, domain: str) -> None:
    labels = {row["clip_id"]: row for row in rows(demo.home, "human_labels", domain)}
    recount = {key[0]: Counter(given) for key, given in answers_in_files(demo.home).items() if key[1] == "label"}
    recount = {clip_id: votes for clip_id, votes in recount.items() if clip_id.startswith(domain)}
    assert labels.keys() == recount.keys()
    assert len(recount) >= 8
    for clip_id, votes in recount.items():
        label, count = votes.most_common(1)[0]
        outcome = "no_majority" if count < 2 else label if label not in EMOTION_NAMES else "agreed"
        row = labels[clip_id]
        assert (row["outcome"], row["agree_count"], row["annotator_count"]) == (outcome, count, 3)
        assert row["emotion"] == (label if outcome == "agreed" else None)


def test_a_sticker_is_labelled_by_the_verification_of_its_intended_emotion_only(demo: Demo) -> None:
    intended = {row["source_id"]: row["intended_emotion"] for row in rows(demo.home, "source_videos", "sticker")}
    clips = {row["clip_id"]: intended[row["source_id"]] for row in rows(demo.home, "clips", "sticker")}
    answers = answers_in_files(demo.home)
    accepted = {clip_id for clip_id in clips if answers[clip_id, "verify"] == ["accept"]}
    assert 0 < len(accepted) < len(clips)
    final = {
        row["clip_id"]: (row["emotion"], row["label_source"]) for row in rows(demo.home, "emotion_labels", "sticker")
    }
    assert final == {clip_id: (clips[clip_id], "human") for clip_id in accepted}
    rejected = {r["clip_id"] for r in rows(demo.home, "human_labels", "sticker") if r["outcome"] == "rejected"}
    assert rejected == clips.keys() - accepted


@pytest.mark.parametrize("domain", ["movie", "animation"])
def test_the_final_label_is_the_human_one_and_the_models_where_nobody_was_asked(demo: Demo, domain: str) -> None:
    human = {row["clip_id"]: row for row in rows(demo.home, "human_labels", domain)}
    model = {row["clip_id"]: row for row in rows(demo.home, "vlm_labels", domain)}
    expected: dict[str, tuple[Any, ...]] = {}
    for clip_id in ids(demo.home, "clips", domain):
        if clip_id not in human:
            expected[clip_id] = (model[clip_id]["emotion"], "vlm", model[clip_id]["confidence"])
        elif human[clip_id]["outcome"] == "agreed":
            share = human[clip_id]["agree_count"] / human[clip_id]["annotator_count"]
            expected[clip_id] = (human[clip_id]["emotion"], "human", share)
    final = rows(demo.home, "emotion_labels", domain)
    assert {row["clip_id"]: (row["emotion"], row["label_source"], row["confidence"]) for row in final} == expected
    for row in final:
        emotion = EMOTION_BY_NAME[row["emotion"]]
        assert (row["polarity"], row["valence"], row["arousal"]) == (emotion.polarity, emotion.valence, emotion.arousal)


def test_the_labeller_is_trained_on_the_agreed_labels_without_the_validation_clips(demo: Demo) -> None:
    blind = {row["clip_id"] for row in all_rows(demo.home, "annotation_tasks") if row["purpose"] == "validate"}
    agreed = {row["clip_id"] for row in all_rows(demo.home, "human_labels") if row["outcome"] == "agreed"}
    assert len(blind) == 4 * len(DOMAINS)
    assert blind & agreed, "nothing would be proved if no validation clip had a label"
    (labeller,) = rows(demo.home, "emotion_labeller")
    assert labeller["training_clip_count"] == len(agreed - blind)
    assert (demo.home / labeller["path"] / "report.json").is_file()


@by_domain
def test_the_model_gives_each_clip_a_distribution_and_its_peak(demo: Demo, domain: str) -> None:
    (labeller,) = rows(demo.home, "emotion_labeller")
    for row in rows(demo.home, "vlm_labels", domain):
        shares = {name: row[f"p_{name}"] for name in EMOTION_NAMES}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-9)
        assert row["confidence"] == max(shares.values()) == shares[row["emotion"]]
        assert (row["model_id"], row["model_revision"]) == (labeller["model_id"], labeller["revision"])


@by_domain
def test_the_kappas_are_those_of_scikit_learn(demo: Demo, domain: str) -> None:
    ratings: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows(demo.home, "validation_ratings", domain):
        ratings[row["rater_id"]][row["clip_id"]] = row["label"]
    pairs = rows(demo.home, "kappa_validation", domain)
    assert Counter(row["pair_kind"] for row in pairs) == {"human_human": 3, "human_vlm": 3}
    for row in pairs:
        a, b = ratings[row["rater_a"]], ratings[row["rater_b"]]
        common = sorted(a.keys() & b.keys())
        assert row["clip_count"] == len(common) == 4
        first, second = [a[name] for name in common], [b[name] for name in common]
        with np.errstate(invalid="ignore"):
            expected = cohen_kappa_score(first, second, labels=HUMAN_CHOICES)
        assert row["observed_agreement"] == np.mean(np.array(first) == np.array(second))
        assert row["kappa"] == (None if np.isnan(expected) else pytest.approx(expected, abs=1e-12))


def test_the_validation_ratings_are_the_blind_answers_and_the_models_on_the_same_clips(demo: Demo) -> None:
    blind = {row["clip_id"] for row in all_rows(demo.home, "annotation_tasks") if row["purpose"] == "validate"}
    ratings = all_rows(demo.home, "validation_ratings")
    expected = Counter(
        label for key, given in answers_in_files(demo.home).items() if key[1] == "validate" for label in given
    )
    assert Counter(row["label"] for row in ratings if row["rater_kind"] == "human") == expected
    assert {row["clip_id"] for row in ratings if row["rater_kind"] == "vlm"} == blind


@by_domain
def test_the_split_holds_every_labelled_clip_and_no_group_is_on_both_sides(demo: Demo, domain: str) -> None:
    split = rows(demo.home, "benchmark_split", domain)
    labels = {row["clip_id"]: row for row in rows(demo.home, "emotion_labels", domain)}
    assert [row["clip_id"] for row in split] == sorted(labels)
    groups = defaultdict(set)
    for row in split:
        groups[row["split"]].add(row["group_id"])
        assert row["emotion"] == labels[row["clip_id"]]["emotion"]
    assert groups["benchmark"].isdisjoint(groups["train"])
    benchmark = [row for row in split if row["split"] == "benchmark"]
    assert {row["label_source"] for row in benchmark} == {"human"}
    assert set(Counter(row["emotion"] for row in benchmark).values()) == {1}


def test_clips_of_one_film_share_a_group_even_across_its_files(demo: Demo) -> None:
    films = {row["source_id"]: row["film_id"] for row in rows(demo.home, "source_videos", "movie")}
    sources = {row["clip_id"]: row["source_id"] for row in rows(demo.home, "clips", "movie")}
    groups = defaultdict(set)
    for row in rows(demo.home, "benchmark_split", "movie"):
        groups[films[sources[row["clip_id"]]]].add(row["group_id"])
    assert len(films) > len(set(films.values()))
    assert {len(found) for found in groups.values()} == {1}


@by_domain
def test_a_prompt_is_the_caption_and_the_sentence_that_names_the_emotion(demo: Demo, domain: str) -> None:
    captions = {row["clip_id"]: row["caption"] for row in rows(demo.home, "captions", domain)}
    for row in rows(demo.home, "benchmark_split", domain):
        assert row["prompt"] == f'{captions[row["clip_id"]]} The video is in the "{row["emotion"]}" emotion.'


def test_the_warehouse_holds_one_file_per_table_and_domain_in_the_registrys_schema(demo: Demo) -> None:
    warehouse = demo.home / "warehouse"
    expected = set()
    for name, table in TABLES.items():
        folders = [f"domain={domain}/" for domain in DOMAINS] if table.is_partitioned else [""]
        for folder in folders:
            path = f"{name}/{folder}part-0.parquet"
            expected.add(path)
            assert pq.read_schema(warehouse / path).equals(table.schema), path
    assert {path.relative_to(warehouse).as_posix() for path in warehouse.rglob("*.parquet")} == expected
