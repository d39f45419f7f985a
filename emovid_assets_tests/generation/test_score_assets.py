"""`generation_features` and `generation_scores`: rows, labellers, what is made again, a build that is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emovid_assets.building.plan import plan
from emovid_assets.core import embedded_labeller
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.generation.measuring import PICTURE_FEATURES, evidence_of_video
from emovid_assets.core.model_place import find_model
from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets_tests.assets.homes import ROOT, build, errors_of, report_of, rows
from emovid_assets_tests.core.evidence import labelled, silent
from emovid_assets_tests.generation.measuring import measured
from emovid_assets_tests.generation.planted_videos import film, home_with, settings, write_generated
from emovid_assets_tests.generation.tiny_scorers import tiny_text_clip, tiny_videomae
from emovid_assets_tests.media.making import write_video
from emovid_assets_tests.planted_tables import plant, valid_row
from emovid_assets_tests.resources.chat_server import Call, ChatServer, Reply, completion

pytestmark = pytest.mark.integration

SELECTION = "key:generation_features or key:generation_scores"
PROBABILITIES = [f"p_{name}" for name in EMOTION_NAMES]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scorers")
    tiny_text_clip(folder / "clip")
    tiny_text_clip(folder / "other_clip", seed=1)
    tiny_videomae(folder / "videomae")
    return folder


def flat(level: int, count: int = 33) -> list[np.ndarray]:
    """A film of one grey that a dot walks over: of one colour it would be a still."""
    frames = [np.full((48, 64, 3), level, np.uint8) for _ in range(count)]
    for index, frame in enumerate(frames):
        frame[4:8, index : index + 4] = 255 - level
    return frames


def built(home: Path) -> dict[str, Any]:
    reports = build(home, domains=["movie"], selection=SELECTION)
    assert errors_of(reports) == []
    return {name: report_of(reports, name, "movie") for name in ("generation_features", "generation_scores")}


def scores(home: Path) -> dict[str, dict[str, Any]]:
    return {row["video_id"]: row for row in rows(home, "generation_scores", "movie")}


def test_without_generated_videos_nothing_is_opened_and_the_tables_are_empty(tmp_path: Path) -> None:
    # A model that is not there would be refused as soon as anybody asked for it.
    home_with(tmp_path, [], text_model="./nowhere", video_model="./nowhere")
    reports = built(tmp_path)
    assert {name: (one.rows, one.missing) for name, one in reports.items()} == {
        "generation_features": (0, "there are no generated videos"),
        "generation_scores": (0, "there are no generated videos"),
    }
    assert {one.items for one in plan(Home(tmp_path), ["movie"], SELECTION)} == {None}


def test_without_models_all_that_is_measured_is_there_and_says_so(tmp_path: Path) -> None:
    rows_of_videos = [write_generated(tmp_path, film(seed), seed=seed) for seed in range(3)]
    home_with(tmp_path, rows_of_videos)
    clip = write_video(tmp_path / "clip.mov", film(9))
    real = measured(clip)
    evidence = evidence_of_video("movie-0123456789abcdef-00000000-00004000", "movie", real)
    plant_clip(tmp_path, evidence.clip_id, real, evidence.colour)
    reports = built(tmp_path)
    assert (reports["generation_features"].rows, reports["generation_features"].computed) == (4, 3)
    found = {row["item_id"]: row for row in rows(tmp_path, "generation_features", "movie")}
    assert {row["extractor_id"] for row in found.values()} == {"embedded/measured"}
    assert {row["kind"] for row in found.values()} == {"real", "generated"}
    for row in rows_of_videos:
        by_hand = measured(tmp_path / row["video_path"])
        clip_evidence = evidence_of_video(row["video_id"], "movie", by_hand)
        expected = embedded_labeller.measured_features(clip_evidence)[:PICTURE_FEATURES]
        assert found[row["video_id"]]["features"] == pytest.approx(expected.tolist())
        score = scores(tmp_path)[row["video_id"]]
        for name in ("flicker_native", "flicker_common", "first_frame_consistency"):
            assert score[name] == by_hand[name]
        assert (score["picture_scorer_id"], score["text_scorer_id"]) == ("embedded/measured", None)
        assert {score[name] for name in ("caption_cosine", "label_cosine", "prompt_token_count", "emotion")} == {None}
        assert {score[name] for name in ("generator", "task", "asked_emotion", "seed")} == {
            *("wan", "t2v", "fear", row["seed"]),
        }
    expected = embedded_labeller.measured_features(evidence)[:PICTURE_FEATURES]
    assert found[evidence.clip_id]["features"] == pytest.approx(expected.tolist())


def plant_clip(home: Path, clip_id: str, real: dict[str, Any], colour: Any) -> None:
    """A clip of the benchmark, and one that is for training and so is not compared with."""
    other = clip_id.replace("00004000", "00005000")
    features = {**real["features"], "has_audio": False}
    for table, values in (
        ("benchmark_split", {}),
        ("clip_features", features),
        ("colour_attributes", colour),
        ("clip_media", {"media_path": "clip.mov", "colour_matrix": "rgb", "is_colour_tagged": True, "duration_s": 2.0}),
    ):
        planted = [
            valid_row(table, number, "movie") | values | {"clip_id": name}
            for number, name in enumerate((clip_id, other))
        ]
        if table == "benchmark_split":
            planted = [row | {"split": split} for row, split in zip(planted, ("benchmark", "train"), strict=True)]
        plant(home, table, planted)


def test_models_score_each_video_once_and_a_changed_one_makes_its_own_part_again(models: Path, tmp_path: Path) -> None:
    videos = [write_generated(tmp_path, film(seed), seed=seed) for seed in range(3)]
    both = {"text_model": str(models / "clip"), "video_model": str(models / "videomae")}
    home_with(tmp_path, videos, **both)
    write_video(tmp_path / "clip.mov", film(9))
    real = measured(tmp_path / "clip.mov")
    clip_id = "movie-0123456789abcdef-00000000-00004000"
    plant_clip(tmp_path, clip_id, real, evidence_of_video(clip_id, "movie", real).colour)
    planned = {one.asset: one.items for one in plan(Home(tmp_path), ["movie"], SELECTION)}
    assert planned["generation_features"] == 7
    reports = built(tmp_path)
    # Three measured, each seen by two models, and a real clip by one.
    assert reports["generation_features"].computed == 3 + 6 + 1
    first = scores(tmp_path)
    features = {row["item_id"]: row for row in rows(tmp_path, "generation_features", "movie")}
    assert features.keys() == {clip_id, *(row["video_id"] for row in videos)}
    assert {row["extractor_id"] for row in features.values()} == {"videomae"}
    for score in first.values():
        place = find_model(both["text_model"], tmp_path)
        assert (score["text_scorer_id"], score["text_scorer_revision"]) == ("clip", place.revision)
        assert (score["picture_scorer_id"], score["picture_scorer_revision"]) == ("clip", place.revision)
        assert -1 <= score["caption_cosine"] != score["label_cosine"]
    assert built(tmp_path)["generation_features"].computed == 0
    assert scores(tmp_path) == first
    settings(tmp_path, **both | {"text_model": str(models / "other_clip")})
    assert built(tmp_path)["generation_features"].computed == 3
    assert {row["item_id"]: row for row in rows(tmp_path, "generation_features", "movie")} == features
    changed = scores(tmp_path)
    for name, score in changed.items():
        assert score["label_cosine"] != first[name]["label_cosine"]
        assert score["flicker_native"] == first[name]["flicker_native"]
    settings(tmp_path, **both | {"text_model": str(models / "other_clip"), "common_fps": 4})
    # Flicker alone: the encoder goes by the length and not by the rate.
    assert built(tmp_path)["generation_features"].computed == 3
    assert [one["flicker_common"] for one in scores(tmp_path).values()] != [
        one["flicker_common"] for one in changed.values()
    ]


def test_what_a_model_of_random_weights_says_is_marked(models: Path, tmp_path: Path) -> None:
    videos = [write_generated(tmp_path, film(0), is_trial=False)]
    home_with(tmp_path, videos, text_model=str(models / "clip"))
    built(tmp_path)
    assert [row["is_trial"] for row in scores(tmp_path).values()] == [False]
    settings(tmp_path, text_model=str(models / "clip"), scorers_are_trial=True)
    built(tmp_path)
    assert [row["is_trial"] for row in scores(tmp_path).values()] == [True]
    home_with(tmp_path, [videos[0] | {"is_trial": True}], text_model=str(models / "clip"))
    built(tmp_path)
    assert [row["is_trial"] for row in scores(tmp_path).values()] == [True]


def test_a_video_that_cannot_be_read_is_quarantined_once_and_has_no_row(models: Path, tmp_path: Path) -> None:
    videos = [write_generated(tmp_path, film(seed), seed=seed) for seed in range(4)]
    (tmp_path / videos[2]["video_path"]).write_bytes(b"no film at all")
    home_with(tmp_path, videos, text_model=str(models / "clip"))
    text = (tmp_path / "emovid.toml").read_text().replace("[media]", "[media]\nmax_quarantined_share = 0.5")
    (tmp_path / "emovid.toml").write_text(text, encoding="utf-8")
    report = built(tmp_path)["generation_features"]
    assert (report.quarantined, report.computed) == (1, 6)
    assert scores(tmp_path).keys() == {videos[index]["video_id"] for index in (0, 1, 3)}
    store = ItemStore.to_read(Home(tmp_path).state)
    [failure] = store.failures("movie")
    store.close()
    assert (failure.step, failure.item_id, failure.code) == ("measure_video", videos[2]["video_id"], "not_a_video")
    assert failure.path == videos[2]["video_path"]


def plant_labeller(home: Path, **given: Any) -> None:
    """One that is right on 80 of 100 held-out clips."""
    known = {"held_out_clip_count": 100, "validation_accuracy": 0.8, "baseline_accuracy": 0.3, "temperature": 1.0}
    plant(home, "emotion_labeller", [valid_row("emotion_labeller", 0) | known | {"path": None} | given], None)


def dark_is_fear(home: Path) -> dict[str, Any]:
    """The embedded labeller, taught that dark clips are of fear and bright ones of awe."""
    examples = []
    for number in range(20):
        emotion, level = ("fear", 0.1) if number % 2 else ("awe", 0.9)
        clip = silent(f"movie-{number:016x}-00000000-00004000", brightness_mean=level + 0.001 * number)
        examples.append(labelled(clip, emotion))
    forest = embedded_labeller.forest_of(examples, minimum=4)
    forest.save(home / "models/labeller")
    return {
        "kind": "embedded",
        "model_id": forest.model_id,
        "revision": forest.revision,
        "path": "models/labeller",
    }


def test_the_embedded_labeller_recognises_what_it_was_taught(tmp_path: Path) -> None:
    dark = write_generated(tmp_path, flat(20), emotion="fear", seed=1)
    bright = write_generated(tmp_path, flat(235), emotion="fear", seed=2)
    gay = write_generated(tmp_path, flat(235), emotion="amusement", seed=3)
    home_with(tmp_path, [dark, bright, gay])
    taught = dark_is_fear(tmp_path)
    plant_labeller(tmp_path, **taught)
    built(tmp_path)
    found = scores(tmp_path)
    judged = {
        name: tuple(found[row["video_id"]][one] for one in ("emotion", "is_emotion_right", "is_polarity_right"))
        for name, row in {"dark": dark, "bright": bright, "gay": gay}.items()
    }
    assert judged == {
        "dark": ("fear", True, True),
        "bright": ("awe", False, False),
        "gay": ("awe", False, True),
    }
    for row in found.values():
        assert sum(row[name] for name in PROBABILITIES) == pytest.approx(1)
        assert row["confidence"] == row[f"p_{row['emotion']}"] == max(row[name] for name in PROBABILITIES)
        assert (row["labeller_id"], row["labeller_revision"]) == (taught["model_id"], taught["revision"])


@pytest.mark.parametrize("has_labeller", [True, False])
def test_a_labeller_at_chance_or_none_leaves_the_emotions_empty_and_says_why(
    tmp_path: Path, has_labeller: bool
) -> None:
    home_with(tmp_path, [write_generated(tmp_path, flat(20))])
    if has_labeller:
        plant_labeller(tmp_path, **dark_is_fear(tmp_path), validation_accuracy=0.32)
    told = built(tmp_path)["generation_scores"].what_was_done
    [row] = scores(tmp_path).values()
    empty = ("emotion", "confidence", "is_emotion_right", "is_polarity_right", "labeller_id", *PROBABILITIES)
    assert {row[name] for name in empty} == {None}
    assert row["flicker_native"] > 0
    said = "is no judge of generated videos" if has_labeller else "No labeller has been trained yet"
    assert said in told


def with_labeller(home: Path, text: str) -> None:
    path = home / "emovid.toml"
    path.write_text(f"{path.read_text()}\n[labeller]\n{text}\n", encoding="utf-8")


def test_a_vision_language_model_in_this_process_answers_once_a_video(
    tmp_path: Path, tiny_chat_model: Callable[[str], Path]
) -> None:
    videos = [write_generated(tmp_path, film(seed), seed=seed) for seed in range(2)]
    home_with(tmp_path, videos)
    folder = tiny_chat_model("llava_onevision")
    with_labeller(tmp_path, f'backend = "transformers"\nmodel = "{folder}"\nframes = 2\nframe_side_px = 32')
    place = find_model(str(folder), tmp_path)
    model = {"model_id": place.model_id, "revision": place.revision, "kind": "zero_shot"}
    plant_labeller(tmp_path, **model, base_model=f"{place.model_id}@{place.revision}")
    planned = {one.asset: one.items for one in plan(Home(tmp_path), ["movie"], SELECTION)}
    assert planned == {"generation_features": 2, "generation_scores": 2}
    assert built(tmp_path)["generation_scores"].computed == 2
    for row in scores(tmp_path).values():
        assert row["emotion"] in EMOTION_NAMES
        assert sum(row[name] for name in PROBABILITIES) == pytest.approx(1)
        assert row["labeller_id"] == place.model_id
    assert built(tmp_path)["generation_scores"].computed == 0


def test_a_server_is_shown_frames_of_each_video_and_its_letters_are_read(tmp_path: Path) -> None:
    def always_fear(call: Call) -> Reply:
        lettered = dict(line.split(". ") for line in call.text.splitlines() if line[1:3] == ". ")
        told = {letter: 0.9 if name.startswith("fear") else 0.1 / 7 for letter, name in lettered.items()}
        return completion("A", [("A", told)])

    videos = [write_generated(tmp_path, film(seed), seed=seed) for seed in range(3)]
    home_with(tmp_path, videos)
    server = ChatServer(always_fear)
    with server.running() as url:
        asked = f'backend = "endpoint"\nmodel = "tiny"\nrevision = "1"\nbase_url = "{url}"\nframes = 2\nrotations = 1'
        with_labeller(tmp_path, asked)
        plant_labeller(tmp_path, model_id="tiny", revision="1", kind="zero_shot", base_model="tiny@1")
        assert built(tmp_path)["generation_scores"].computed == 3
    assert {len(call.frames) for call in server.calls} == {2}
    for row in scores(tmp_path).values():
        assert (row["emotion"], row["is_emotion_right"], row["is_polarity_right"]) == ("fear", True, True)
        assert row["p_fear"] == pytest.approx(0.9, abs=0.01)


def test_a_build_that_is_killed_half_way_goes_on_and_gives_the_same_bytes(models: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    videos = [write_generated(kept, film(seed), seed=seed) for seed in range(8)]
    home_with(kept, videos, text_model=str(models / "clip"), video_model=str(models / "videomae"))
    killed = Path(shutil.copytree(kept, tmp_path / "killed"))
    built(kept)
    log = tmp_path / "log"
    run = [sys.executable, "-m", "emovid_assets_tests.generation.run_scoring", str(killed), str(log), "0.4"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(run, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        give_up = time.monotonic() + 180
        while not log.exists() or len(log.read_text().split()) < 4:
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    seen = len(log.read_text().split())
    done = subprocess.run([*run[:-1], "0"], env=environment, capture_output=True, text=True, check=True, timeout=300)
    computed = json.loads(done.stdout.splitlines()[-1])["computed"]
    # At most the video that the models were at is seen twice; nothing is measured again.
    assert 2 * (8 - seen) <= computed <= 2 * (8 - seen + 1)
    for table in ("generation_features", "generation_scores"):
        for domain in DOMAINS[:1]:
            both = [Warehouse(Home(home).warehouse).path(table, domain) for home in (kept, killed)]
            assert both[0].read_bytes() == both[1].read_bytes()
