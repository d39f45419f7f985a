"""Labels and captions in this process: each clip ends once, whatever is wrong with it or with its neighbours."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emovid_assets.core.model_place import find_model
from emovid_assets.core.video.errors import ADVICE
from emovid_assets.core.vlm.caption_rules import CaptionRules
from emovid_assets.core.vlm.chat_model import ChatModel, Prepared, Written, load_chat_model
from emovid_assets.core.vlm.exchange import CaptionAnswer, ClipRequest, LabelAnswer, Meter
from emovid_assets.core.vlm.frames import read
from emovid_assets.resources import local_model
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.local_model import caption_clips, label_clips
from emovid_assets.resources.workers import Done, Task
from emovid_assets_tests.media.making import scenery, write_video

pytestmark = pytest.mark.integration
PROMPT = "Which emotion does it evoke?"
GOOD = "A girl in a red coat runs through falling snow and laughs. The bright flakes make the scene joyful."
RULES = CaptionRules(8, 40)


@pytest.fixture
def model(tiny_chat_model: Callable[[str], Path]) -> ChatModel:
    loaded = load_chat_model(
        find_model(str(tiny_chat_model("llava_onevision")), Path()), device="cpu", precision="float32"
    )
    loaded.scorer.forget()
    return loaded


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for scene in range(5):
        write_video(folder / f"{scene}.mov", [scenery(scene, index, 40, 60) for index in range(12)])
    return folder


def request(films: Path, scene: int, count: int = 3) -> ClipRequest:
    return ClipRequest(str(films / f"{scene}.mov"), [0.1 * index for index in range(count)], 32, PROMPT)


def tasks_of(films: Path, *scenes: int) -> list[Task]:
    return [(f"clip-{n}", request(films, scene, 1 + n % 3).as_arguments()) for n, scene in enumerate(scenes)]


def labelled(model: ChatModel, tasks: Sequence[Task], *, batch_clips: int = 2, threads: int = 2) -> dict[str, Done]:
    ends = label_clips(model, tasks, batch_clips=batch_clips, threads=threads, meter=Meter())
    found = [end for some in ends for end in some]
    assert sorted(end.item_id for end in found) == sorted(item_id for item_id, _ in tasks), "each ends once"
    return {end.item_id: end for end in found}


def answer_of(end: Done) -> LabelAnswer:
    assert end.payload is not None, end.message
    # As it comes back from the store.
    return LabelAnswer.of(json.loads(json.dumps(end.payload)))


@pytest.mark.parametrize(("batch_clips", "threads"), [(1, 1), (2, 3), (9, 2)])
def test_a_label_is_the_naive_scores_made_to_sum_to_one(
    model: ChatModel, films: Path, batch_clips: int, threads: int
) -> None:
    tasks = tasks_of(films, 0, 1, 2, 3, 4)
    for item_id, end in labelled(model, tasks, batch_clips=batch_clips, threads=threads).items():
        asked = ClipRequest.of(dict(tasks)[item_id])
        frames = read(Path(asked.path), asked.stamps_s, asked.side_px)
        prepared = model.prepare([pixels for _, pixels in frames], [stamp for stamp, _ in frames], PROMPT)
        scores = np.exp(np.array(model.score_naive(prepared), np.float64))
        answer = answer_of(end)
        np.testing.assert_allclose(np.exp(answer.log_probabilities), scores / scores.sum(), atol=1e-4)
        assert answer.mass == pytest.approx(scores.sum(), rel=1e-3)
        assert answer.frame_pts_s == pytest.approx(asked.stamps_s, abs=0.021)
        assert answer.prompt_token_count == prepared.token_count


def test_the_meter_says_what_was_done_and_how_long_the_model_waited(model: ChatModel, films: Path) -> None:
    meter = Meter()
    ends = label_clips(model, tasks_of(films, 0, 1, 2), batch_clips=2, threads=1, meter=meter)
    answers = [answer_of(end) for some in ends for end in some]
    assert meter.clip_count == 3
    assert meter.prompt_token_count == sum(answer.prompt_token_count or 0 for answer in answers)
    assert meter.model_s >= sum(answer.model_s or 0 for answer in answers) * 0.99 > 0
    assert 0 < meter.waiting_share < 1


def test_a_clip_without_readable_frames_ends_alone_with_its_code(model: ChatModel, films: Path, tmp_path: Path) -> None:
    (tmp_path / "0.mov").write_text("no film")
    tasks = [*tasks_of(films, 0, 1), ("broken", request(tmp_path, 0).as_arguments())]
    tasks.append(("gone", request(tmp_path, 7).as_arguments()))
    found = labelled(model, tasks)
    assert {item_id for item_id, end in found.items() if end.payload} == {"clip-0", "clip-1"}
    assert found["gone"].code == "vanished"
    assert found["broken"].code in ADVICE
    assert found["broken"].message.endswith(ADVICE[found["broken"].code])


Fails = Callable[[Sequence[Prepared]], None]


def failing(monkeypatch: pytest.MonkeyPatch, model: ChatModel, fails: Fails) -> list[int]:
    """Makes `score` call `fails` first; returns the sizes of the batches that were tried."""
    sizes: list[int] = []
    score = model.score

    def watched(batch: Sequence[Prepared]) -> list[list[float]]:
        sizes.append(len(batch))
        fails(batch)
        return score(batch)

    monkeypatch.setattr(model, "score", watched)
    return sizes


def test_a_batch_that_does_not_fit_into_memory_is_halved_and_smaller_ones_follow(
    model: ChatModel, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(batch: Sequence[Prepared]) -> None:
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")

    sizes = failing(monkeypatch, model, fails)
    found = labelled(model, tasks_of(films, *[0, 1] * 5), batch_clips=6)
    assert all(end.payload for end in found.values())
    assert sizes == [6, 3, 2, 1, 3, 2, 1, 2, 2]


def test_a_clip_that_does_not_fit_alone_or_that_the_model_refuses_ends_with_its_code(
    model: ChatModel, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(batch: Sequence[Prepared]) -> None:
        counts = [len(prepared.pts_s) for prepared in batch]
        if 3 in counts:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        if 2 in counts:
            raise ValueError("frames of this kind\nare not for me")

    failing(monkeypatch, model, fails)
    found = labelled(model, tasks_of(films, 0, 1, 2, 3), batch_clips=4)
    assert found["clip-0"].payload
    assert found["clip-3"].payload
    assert (found["clip-1"].code, found["clip-2"].code) == ("model_refused", "model_memory")
    assert found["clip-1"].message.startswith("ValueError: frames of this kind. ")
    assert "frame_side_px" in found["clip-2"].message


def test_a_gpu_that_is_lost_stops_the_run_and_an_interrupt_leaves_no_thread(
    model: ChatModel, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (RuntimeError("CUDA error: an illegal memory access was encountered"), KeyboardInterrupt()):

        def fails(batch: Sequence[Prepared], error: BaseException = error) -> None:
            raise error

        with monkeypatch.context() as patch:
            failing(patch, model, fails)
            with pytest.raises(type(error)):
                labelled(model, tasks_of(films, 0, 1))


def test_numbers_that_overflow_are_no_label(model: ChatModel, films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "score", lambda batch: [[float("nan")] * 8 for _ in batch])
    (end,) = labelled(model, tasks_of(films, 0)).values()
    assert (end.payload, end.code) == (None, "model_refused")
    assert "overflow" in end.message


def test_waiting_clips_are_bounded_in_bytes(model: ChatModel, films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "READ_AHEAD_BYTES", 1)
    assert all(end.payload for end in labelled(model, tasks_of(films, *[0, 1] * 4), batch_clips=3, threads=3).values())


def captioned(model: ChatModel, tasks: Sequence[Task], **options: Any) -> dict[str, Done]:
    given = {"rules": RULES, "max_tokens": 24, "tries": 3, "batch_clips": 2, "threads": 2, "meter": Meter()} | options
    return {end.item_id: end for some in caption_clips(model, tasks, **given) for end in some}


def test_garbage_is_written_again_and_then_quarantined_with_the_rule_that_it_breaks(
    model: ChatModel, films: Path
) -> None:
    meter = Meter()
    found = captioned(model, tasks_of(films, 0, 1, 2), meter=meter)
    assert [end.code for end in found.values()] == ["bad_caption"] * 3
    for end in found.values():
        assert end.message.startswith("The last of 3 captions is no good: ")
        assert end.message.endswith(ADVICE["bad_caption"])
    # Three tries of 24 tokens for each of three clips.
    assert meter.output_token_count == 3 * 3 * 24
    assert captioned(model, tasks_of(films, 0, 1, 2)) == found, "sampled with seeds, so repeatable"
    assert captioned(model, tasks_of(films, 0, 1, 2), batch_clips=3, threads=1) == found


def test_the_first_caption_that_keeps_to_the_rules_is_kept(
    model: ChatModel, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int | None]] = []

    def write(batch: Sequence[Prepared], *, max_tokens: int, seed: int | None = None) -> list[Written]:
        asked.append((len(batch), seed))
        if seed is None:
            return [Written(GOOD if len(one.pts_s) == 1 else "Too short.", 5, True) for one in batch]
        return [Written(f"**Caption:** {GOOD} And the", 30, False)]

    monkeypatch.setattr(model, "write", write)
    meter = Meter()
    found = captioned(model, tasks_of(films, 0, 1), meter=meter)
    answers = {name: CaptionAnswer.of(json.loads(json.dumps(end.payload))) for name, end in found.items()}
    assert {name: (answer.caption, answer.attempt_count) for name, answer in answers.items()} == {
        "clip-0": (GOOD, 1),
        "clip-1": (GOOD, 2),
    }
    assert answers["clip-1"].output_token_count == 35
    assert meter.output_token_count == 40
    assert [size for size, _ in asked] == [2, 1]
    assert asked[0][1] is None
    assert asked[1][1] is not None


def test_a_run_that_is_killed_keeps_what_it_had_and_labels_only_the_rest(
    tiny_chat_model: Callable[[str], Path], films: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"

    def command(seconds: float) -> list[str]:
        module = "emovid_assets_tests.resources.run_labelling"
        folder, film = str(tiny_chat_model("llava_onevision")), str(films / "0.mov")
        return [sys.executable, "-m", module, str(tmp_path), folder, film, "60", str(seconds), str(log)]

    process = subprocess.Popen(command(0.1), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while (not log.exists() or len(log.read_text().split()) < 3) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = len(ItemStore(tmp_path / "state.sqlite").finished_keys("label", "movie"))
    assert 4 <= kept < 60
    log.write_text("")
    done = subprocess.run(command(0), capture_output=True, text=True, check=True, timeout=120)
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["labelled"], said["computed"]) == (60, 60 - kept)
    assert sum(map(int, log.read_text().split())) == 60 - kept
    # Thirty clips more need no more memory: a prepared clip kept alive would add ten kilobytes, a frame thirty.
    peaks = said["peaks_mb"]
    assert peaks[-1] - peaks[2] < 8


def test_the_threads_of_the_model_and_of_others_are_left_as_they_were(
    model: ChatModel, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen_by_a_new_thread() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.get_num_threads).result()

    monkeypatch.setattr(model, "score", lambda batch: [[0.0] * 8 for _ in batch])
    torch.set_num_threads(2)
    try:
        labelled(model, tasks_of(films, 0))
        assert (torch.get_num_threads(), seen_by_a_new_thread()) == (2, 2)
    finally:
        torch.set_num_threads(1)
