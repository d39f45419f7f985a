"""From drawn clips whose colour follows the emotion word to films that a simple judge tells apart, through every stage
of the product: training, the adapter by its name, generators before and after, the table of tests."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from scipy.stats import binomtest

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.splits import prompt_of
from emovid_assets.resources.tuning.adapters import adapters_of
from emovid_assets.resources.workplace import PlainWorkplace
from emovid_assets_tests.generation.homes import LOG, generator, made
from emovid_assets_tests.once import made_once
from emovid_assets_tests.tuning.drawn_clips import adapter, drawn, plant_clips, record_of, write_settings
from emovid_assets_tests.tuning.seeing_wan import build_seeing

EMOTIONS = EMOTION_NAMES[:4]
SIDE, FRAMES, TOKENS, SEEDS = 16, 5, 24, tuple(range(8))
CLIPS = [(emotion, number) for number in range(8) for emotion in EMOTIONS]
RECIPE = {"rank": 16, "learning_rate": 1e-2, "epochs": 150, "batch_clips": 16, "evaluations_per_epoch": 1}


def film(emotion: str, number: int) -> np.ndarray:
    return drawn(emotion, number, side=SIDE, frames=FRAMES, among=len(EMOTIONS))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    films = [film(*one) for one in CLIPS]
    return made_once(tmp_path_factory, "seeing-wan", lambda folder: build_seeing(folder, films))


def judged(home: Path, model: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Whether each film of the generators before and after is of the colour that its prompt asks for, in one order; and
    the record of the training."""
    plant_clips(home, [(emotion, film(emotion, number)) for emotion, number in CLIPS], caption=None)
    size = {"width_px": SIDE, "height_px": SIDE, "frames": FRAMES}
    asked = {**size, "steps": 6, "guidance": 1.0, "seeds": SEEDS, "options": {"max_sequence_length": TOKENS}}
    tuned = {"adapters": [{"name": "emotion", "file": "emotion"}]}
    write_settings(
        home,
        adapter("emotion", model, prompt_tokens=TOKENS, patience=1000, held_out_share=0.12, **size, **RECIPE),
        generators=[generator("before", model, **asked), generator("after", model, **{**asked, **tuned})],
    )
    (trained,), missing, _ = adapters_of(PlainWorkplace(str(home)), LOG)
    assert missing == []
    place = {"split": "benchmark", "first_frame_path": None}
    rows = [
        {"clip_id": f"movie-{n}", "emotion": emotion, "prompt": prompt_of(None, emotion), **place}
        for n, emotion in enumerate(EMOTIONS)
    ]
    videos = made(home, rows)
    found = {}
    for name in ("before", "after"):
        payloads = sorted(videos.of(name).items())
        found[name] = np.array([nearest(home / one["video_path"]) == key.split()[1] for key, one in payloads])
    return found, record_of(trained.trained.folder)


def nearest(path: Path) -> str:
    """The emotion whose colour is nearest to the mean of all pictures of a film: the judge."""
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    mean = np.mean(pictures, axis=(0, 1, 2))
    return min(EMOTIONS, key=lambda emotion: float(((mean - mean_of(emotion)) ** 2).sum()))


def mean_of(emotion: str) -> np.ndarray:
    return np.asarray(film(emotion, 0).mean((0, 1, 2)))


def test_films_after_training_are_of_the_emotion_that_is_asked_for_and_those_before_are_not(
    tmp_path: Path, model: Path
) -> None:
    right, record = judged(tmp_path, model)
    before, after = right["before"], right["after"]
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    assert len(before) == len(after) == len(EMOTIONS) * len(SEEDS)
    # A model that hears nothing is right in one of four.
    assert before.mean() == pytest.approx(0.25, abs=0.15)
    # McNemar: the films of which one of both is right.
    assert after.mean() > 0.6
    assert binomtest(gained, gained + lost).pvalue < 0.01
    assert record["loss_after"] < 0.8 * record["loss_before"]


def test_the_judge_is_right_of_every_drawn_film(tmp_path: Path) -> None:
    rows = plant_clips(tmp_path, [(emotion, film(emotion, number)) for emotion, number in CLIPS])
    found = [nearest(tmp_path / "media" / "clips" / f"{number}.mp4") for number in range(len(rows))]
    assert found == [emotion for emotion, _ in CLIPS]
