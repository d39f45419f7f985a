"""Tiny models of random weights learn eight emotions from small video files, survive a kill, and are found again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace, find_model
from emovid_assets.core.statistics.softmax import log_softmax
from emovid_assets.core.vlm import adapter, frames
from emovid_assets.core.vlm.chat_model import ChatModel, Prepared, load_chat_model
from emovid_assets.core.vlm.evaluation import HeldOutAnswer
from emovid_assets.core.vlm.exchange import ClipRequest
from emovid_assets.core.vlm.fine_tuning import FineTuning, TrainingFailedError
from emovid_assets.core.vlm.learning import log_p
from emovid_assets.core.vlm.loading import load
from emovid_assets.core.vlm.training_set import Example, Parts
from emovid_assets.core.vlm.training_state import Recipe, Schedule
from emovid_assets.resources.training import RECORD
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.vlm.conftest import Trained, one_thread
from emovid_assets_tests.vlm.learnable import BLIND_PER_EMOTION, clip_id
from emovid_assets_tests.vlm.run_training import train

pytestmark = pytest.mark.integration

CLASSES = ("llava_onevision", "qwen25_vl")
KILLED = "qwen25_vl"


@pytest.fixture(params=CLASSES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fresh(folder: Path) -> tuple[ChatModel, ModelPlace]:
    place = find_model(str(folder), Path())
    return ChatModel(*load(place, device="cpu", precision="float32", trust_remote_code=False, adapter=None)), place


def test_a_model_learns_what_can_be_seen(name: str, trained: Trained) -> None:
    record = trained(name)[1].record
    first, *_, last = record["evaluations"]
    best = next(one for one in record["evaluations"] if one["step"] == record["best_step"])
    assert first["step"] == 0
    assert first["accuracy"] < 0.3
    assert best["accuracy"] > 0.9
    assert last["loss"] < 0.2 * record["losses"][0]
    assert len(record["losses"]) == last["step"]
    chosen_by, measured_on = (
        [EMOTION_NAMES[int(np.argmax(one["log_probabilities"]))] == one["emotion"] for one in record[clips]]
        for clips in ("choosing_clips", "held_out_clips")
    )
    assert np.mean(chosen_by) == best["accuracy"]
    assert np.mean(measured_on) > 0.8
    assert "have neither taught nor chosen it" in record["measured_on"]


def test_no_validation_and_no_benchmark_clip_is_learnt_from(name: str, trained: Trained) -> None:
    record = trained(name)[1].record
    lists = ("training_clips", "choosing_clips", "held_out_clips")
    used = {one["clip_id"] for key in lists for one in record[key]}
    blind = {clip_id(number) for number in range(8 * BLIND_PER_EMOTION)}
    assert sum(len(record[key]) for key in lists) == len(used), "no clip has two parts"
    assert not used & blind
    # Eighty clips, sixteen of them blind; the benchmark takes one an emotion, blind or not.
    assert 80 - 16 - 8 <= len(used) < 80 - 16


def test_a_saved_adapter_scores_as_the_trained_model_did(
    name: str, trained: Trained, tiny_chat_model: Callable[[str], Path]
) -> None:
    home, tuned = trained(name)
    place = find_model(str(tiny_chat_model(name)), Path())
    model = load_chat_model(place, device="cpu", precision="float32", adapter=tuned.folder)
    clips = []
    for one in tuned.record["held_out_clips"]:
        number = int(one["clip_id"].split("-")[1], 16)
        read = frames.read(home / f"media/{number}.mov", [0.25, 0.75], 32)
        clips.append(model.prepare([frame for _, frame in read], [stamp for stamp, _ in read], "Which emotion?"))
    found = [log_softmax(scores) for scores in model.score(clips)]
    assert np.array(found) == pytest.approx(np.array([a.log_probabilities for a in tuned.held_out]), abs=1e-3)
    config = json.loads((tuned.folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == place.model_id
    assert str(home) not in json.dumps(config)


def test_what_was_trained_is_found_again_and_other_clips_make_another_labeller(
    trained: Trained, tmp_path: Path
) -> None:
    home, tuned = trained(KILLED)
    before = (tuned.folder / RECORD).stat().st_mtime_ns
    again = train(home)
    assert (again.revision, again.folder.name) == (tuned.revision, f"labeller-{tuned.revision}")
    assert (tuned.folder / RECORD).stat().st_mtime_ns == before
    assert [path.name for path in home.joinpath("models").iterdir()] == [tuned.folder.name]


def test_a_training_that_is_killed_ends_as_one_that_was_not(trained: Trained, tmp_path: Path) -> None:
    home, undisturbed = trained(KILLED)
    other = shutil.copytree(home, tmp_path / "home", ignore=shutil.ignore_patterns("models"))
    work = other / "models" / f".labeller-{undisturbed.revision}.training"
    command = [sys.executable, "-m", "emovid_assets_tests.vlm.run_training", str(other)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        seen: set[int] = set()
        deadline = time.monotonic() + 120
        while len(seen) < 4 and time.monotonic() < deadline and process.poll() is None:
            if (work / "checkpoint.pt").exists():
                seen.add((work / "checkpoint.pt").stat().st_mtime_ns)
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert len(seen) == 4
    assert not list(other.glob("models/labeller-*"))
    state = torch.load(work / "checkpoint.pt", weights_only=True)["state"]
    assert 0 < state["step"] < undisturbed.record["evaluations"][-1]["step"]
    with one_thread():
        resumed = train(other)
    assert resumed.revision == undisturbed.revision
    assert resumed.record == undisturbed.record
    ours, theirs = (load_file(one.folder / "adapter_model.safetensors") for one in (resumed, undisturbed))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert not work.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_what_is_learnt_is_the_likelihood_that_is_asked_for_later(
    name: str, count: int, tiny_chat_model: Callable[[str], Path]
) -> None:
    chat, _ = fresh(tiny_chat_model(name))
    chance = np.random.default_rng(0)
    clips = [
        chat.prepare(
            list(chance.integers(0, 255, (2 + number, 48, 48, 3)).astype(np.uint8)),
            [0.5 * stamp for stamp in range(2 + number)],
            "Which?" + " Really." * number,
        )
        for number in range(count)
    ]
    emotions = [number % 8 for number in range(count)]
    found = log_p(chat, clips, [chat.format.answers[emotion] for emotion in emotions])
    judged = [chat.score_naive(clip)[emotion] for clip, emotion in zip(clips, emotions, strict=True)]
    assert found.detach().numpy() == pytest.approx(np.array(judged), abs=1e-3)
    assert found.requires_grad


def test_an_adapter_begins_by_changing_nothing_and_lies_in_the_language_model_alone(
    name: str, tiny_chat_model: Callable[[str], Path]
) -> None:
    chat, place = fresh(tiny_chat_model(name))
    clip = chat.prepare([np.full((48, 48, 3), 90, np.uint8)] * 2, [0.0, 0.5], "Which?")
    before = chat.score_naive(clip)
    adapted = adapter.attach(chat.model, place, adapter.AdapterShape(4, 8, 0.0, whole=False))
    learning = adapter.learning(adapted)
    assert chat.score_naive(clip) == pytest.approx(before, abs=1e-5)
    assert len(learning) == 2 * 7 * 2, "two layers of seven projections, two factors each"
    assert all("lora_" in key and "vis" not in key.lower() for key in learning)


def test_a_model_without_layers_of_known_names_is_refused(tiny_chat_model: Callable[[str], Path]) -> None:
    layers = torch.nn.Sequential(torch.nn.Linear(2, 2))
    with pytest.raises(ModelNotUsableError, match=r"odd has no layers of the names that .*fine_tune = false"):
        adapter.attach(layers, ModelPlace("odd", "1"), adapter.AdapterShape(4, 8, 0.0, whole=False))


RECIPE = Recipe(
    min_clips=2,
    held_out_share=0.2,
    rank=4,
    alpha=8,
    dropout=0.0,
    learning_rate=1e-3,
    train_projector=False,
    batch_clips=8,
    micro_batch_clips=1,
    max_epochs=3,
    patience=2,
    evaluations_per_epoch=2,
)


def training_of(chat: ChatModel, place: ModelPlace, tmp_path: Path, **options: Any) -> FineTuning:
    import logging

    return FineTuning(
        chat,
        place,
        RECIPE,
        **{"parts": Parts([], [], []), "score_batch_clips": 8} | options,
        seed="s",
        checkpoint_path=tmp_path / "checkpoint.pt",
        log=logging.getLogger("emovid"),
    )


def test_weights_of_sixteen_bits_that_overflow_are_refused(
    tiny_chat_model: Callable[[str], Path], tmp_path: Path
) -> None:
    chat, place = fresh(tiny_chat_model(KILLED))
    chat.model.half()
    with pytest.raises(ModelNotUsableError, match="overflows in training"):
        training_of(chat, place, tmp_path, read=lambda examples: iter(()))


def test_held_out_clips_that_cannot_be_read_stop_the_training(
    tiny_chat_model: Callable[[str], Path], tmp_path: Path
) -> None:
    chat, place = fresh(tiny_chat_model(KILLED))
    with pytest.raises(TrainingFailedError, match="build clip_media again"):
        training_of(chat, place, tmp_path, read=lambda examples: ((one, None) for one in examples)).run()


def clips_of_noise(chat: ChatModel, count: int) -> dict[Example, Prepared]:
    chance = np.random.default_rng(3)
    request = ClipRequest("", (), 32, "")
    return {
        Example(f"clip-{number}", request, EMOTION_NAMES[number % 8], f"group-{number}", ""): chat.prepare(
            list(chance.integers(0, 255, (2, 32, 32, 3)).astype(np.uint8)), [0.0, 0.5], "Which?"
        )
        for number in range(count)
    }


def evaluated(chat: ChatModel, place: ModelPlace, tmp_path: Path, batch_clips: int) -> list[HeldOutAnswer]:
    """The answers of a model as it is, of five clips; it then learns from a sixth."""
    clips = clips_of_noise(chat, 6)
    *examples, last = clips
    training = training_of(
        chat,
        place,
        tmp_path,
        parts=Parts([last], examples, []),
        score_batch_clips=batch_clips,
        read=lambda examples: ((one, clips[one]) for one in examples),
    )
    return training.run().zero_shot


def test_held_out_clips_that_do_not_fit_into_memory_at_once_are_scored_in_smaller_batches(
    tiny_chat_model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, place = fresh(tiny_chat_model(KILLED))
    expected = evaluated(chat, place, tmp_path / "undisturbed", 1)
    chat, place = fresh(tiny_chat_model(KILLED))
    score, sizes = chat.score, list[int]()

    def small_memory(batch: Sequence[Prepared]) -> list[list[float]]:
        sizes.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return score(batch)

    monkeypatch.setattr(chat, "score", small_memory)
    found = evaluated(chat, place, tmp_path / "small", 4)
    assert sizes[:4] == [4, 2, 2, 1]
    assert set(sizes[4:]) == {2, 1}, "what did not fit once is not tried again"
    assert [one.clip_id for one in found] == [one.clip_id for one in expected] == [f"clip-{n}" for n in range(5)]
    for one, other in zip(found, expected, strict=True):
        assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-3)


def test_a_held_out_clip_that_does_not_fit_by_itself_ends_the_training_and_says_what_to_set(
    tiny_chat_model: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, place = fresh(tiny_chat_model(KILLED))

    def no_memory(batch: Sequence[Prepared]) -> list[list[float]]:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(chat, "score", no_memory)
    with pytest.raises(TrainingFailedError, match=r"held-out clip clip-0 by itself: set fewer labeller\.frames"):
        evaluated(chat, place, tmp_path, 4)


def test_every_clip_is_in_one_step_of_each_epoch_and_evaluations_end_them() -> None:
    schedule = Schedule(21, RECIPE)
    assert (schedule.steps_per_epoch, schedule.step_count) == (3, 9)
    places = [schedule.place(step) for step in range(1, 10)]
    for epoch in range(3):
        members = [list(range(21))[place] for number, place in places if number == epoch]
        assert [one for some in members for one in some] == list(range(21))
    assert [step for step in range(1, 10) if schedule.is_evaluated(step)] == [1, 3, 4, 6, 7, 9]


def test_the_learning_rate_warms_up_and_falls() -> None:
    schedule = Schedule(800, RECIPE)
    rates = [schedule.learning_rate(step) for step in range(1, schedule.step_count + 1)]
    top = rates.index(max(rates))
    assert max(rates) == RECIPE.learning_rate
    assert top + 1 == round(0.1 * schedule.step_count)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert 0 < rates[-1] <= 0.002 * RECIPE.learning_rate
