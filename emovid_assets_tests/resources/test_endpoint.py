"""Labels and captions through real HTTP, with every fault that a server can have."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.model_place import ModelPlace
from emovid_assets.core.vlm import frames
from emovid_assets.core.vlm.caption_rules import CaptionRules
from emovid_assets.core.vlm.exchange import CaptionAnswer, ClipRequest, LabelAnswer, Meter
from emovid_assets.core.vlm.top_tokens import rotated
from emovid_assets.home.settings import CaptionerSettings, LabellerSettings
from emovid_assets.resources import endpoint_run, vlm
from emovid_assets.resources.endpoint import caption_clips, label_clips
from emovid_assets.resources.endpoint_client import EndpointError
from emovid_assets.resources.endpoint_manners import Manners
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.project import Project
from emovid_assets.resources.workers import Done, Task
from emovid_assets_tests.media.making import scenery, write_video
from emovid_assets_tests.resources.chat_server import Call, ChatServer, Reply, completion, refusal
from emovid_assets_tests.resources.run_endpoint import STEP, labelled
from emovid_assets_tests.resources.tiny_server import TinyModel, decoded

KEY = "sk-very-secret-0123456789abcdef"
VARIABLE = "EMOVID_TEST_KEY"
QUICK = Manners(first_pause_s=0.01, longest_pause_s=0.05)
RULES = CaptionRules(min_words=3, max_words=12)
SENTENCE = "A hare looks at the sky and seems content."


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = [scenery(index // 4, index) for index in range(8)]
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mov", pictures, fps=10)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


def labeller(url: str, **changes: Any) -> LabellerSettings:
    plain: dict[str, Any] = {"concurrency": 4, "attempts": 3, "timeout_s": 2.0, "rotations": 1}
    fixed: dict[str, Any] = {"backend": "endpoint", "model": "tiny", "base_url": url, "key_variable": VARIABLE}
    return LabellerSettings(**fixed, **(plain | changes))


def captioner(url: str, **changes: Any) -> CaptionerSettings:
    plain: dict[str, Any] = {"concurrency": 4, "attempts": 3, "timeout_s": 2.0, "max_tokens": 40}
    fixed: dict[str, Any] = {"backend": "endpoint", "model": "tiny", "base_url": url, "key_variable": VARIABLE}
    return CaptionerSettings(**fixed, **(plain | changes))


def tasks(clip: Path, count: int, prompt: str = "which?\n{options}") -> Iterator[Task]:
    for number in range(count):
        request = ClipRequest(str(clip), (0.0, 0.3), 32, f"clip-{number:03d}: {prompt}")
        yield f"clip-{number:03d}", request.as_arguments()


def ends_of(generator: Iterator[list[Done]]) -> dict[str, Done]:
    ends = [end for told in generator for end in told]
    assert len({end.item_id for end in ends}) == len(ends), "a clip ended twice"
    return {end.item_id: end for end in ends}


def truth(clip: str) -> dict[str, float]:
    """Emotion → probability that `knowing` gives to a clip."""
    weights = np.random.default_rng(int(clip.removeprefix("clip-"))).uniform(0.05, 1, 8)
    return dict(zip(EMOTION_NAMES, (weights / weights.sum()).tolist(), strict=True))


def knowing(call: Call) -> Reply:
    """Letters by the emotions that stand behind them in the prompt."""
    lettered = dict(line.split(". ") for line in call.text.splitlines() if line[1:3] == ". ")
    told = {letter: 0.96 * truth(call.clip)[name] for letter, name in lettered.items()}
    return completion("A", [("A", told | {"The": 0.04})])


def probabilities(end: Done) -> dict[str, float]:
    assert end.payload is not None, end.message
    return LabelAnswer.of(end.payload).probabilities()


FAULTS = (
    refusal(429, "slow down", {"Retry-After": "0"}),
    refusal(503, f"busy; your headers: Authorization: Bearer {KEY}"),
    Reply(body=b"<html>bad gateway</html>"),
    Reply(
        body=knowing(Call({"messages": [{"content": [{"text": "A. awe"}]}]}, {}, "clip-000", 1)).body, sent_share=0.5
    ),
    Reply(body=b'{"choices": [{}]}'),
)
SLOW = Reply(delay_s=2.5)


def faulty(answer: Callable[[Call], Reply], hopeless: dict[str, Reply]) -> Callable[[Call], Reply]:
    """Each clip's first request meets a fault, those of some clips always do."""

    def reply(call: Call) -> Reply:
        if call.clip in hopeless:
            return hopeless[call.clip]
        if call.number > 1:
            return answer(call)
        return SLOW if call.clip == "clip-011" else FAULTS[int(call.clip.removeprefix("clip-")) % len(FAULTS)]

    return reply


def test_every_clip_is_labelled_once_or_quarantined_whatever_the_server_does(
    clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hopeless = {
        "clip-005": refusal(500, f"crash with {KEY}"),
        "clip-010": refusal(400, f"bad image; Bearer {KEY}"),
        "clip-015": completion(f"Sorry {KEY}", [("Sorry", {"Sorry": 0.99})]),
        "clip-020": completion("A"),
        "clip-025": Reply(body=b"{"),
    }
    server = ChatServer(faulty(knowing, hopeless))
    with server.running() as url:
        outcome = labelled(tmp_path, labeller(url), clip, 36, manners=QUICK)
    assert outcome.computed_count == 31
    for item_id, payload in outcome.payloads.items():
        assert LabelAnswer.of(payload).probabilities() == pytest.approx(truth(item_id), abs=1e-9)
        assert payload["mass"] == pytest.approx(0.96)
        assert len(payload["frame_pts_s"]) == 2
    assert {failure.item_id: failure.code for failure in outcome.failures} == {
        "clip-005": "no_answer",
        "clip-010": "server_refused",
        "clip-015": "unusable_answer",
        "clip-020": "unusable_answer",
        "clip-025": "no_answer",
    }
    assert all(count <= 3 for count in server.counts.values())
    assert server.most_at_once <= 4
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"clip-005" in stored
    for text in (stored, caplog.text.encode()):
        assert KEY[:10].encode() not in text


def test_what_may_pass_is_asked_again_by_the_next_run_and_what_the_model_said_is_not(
    clip: Path, tmp_path: Path
) -> None:
    hopeless = {"clip-001": refusal(503, "busy"), "clip-002": completion("A")}
    server = ChatServer(lambda call: hopeless.get(call.clip) or knowing(call))
    with server.running() as url:
        settings = labeller(url)
        first = labelled(tmp_path, settings, clip, 4, manners=QUICK)
        asked = server.counts
        del hopeless["clip-001"], hopeless["clip-002"]
        second = labelled(tmp_path, settings, clip, 4, manners=QUICK)
    assert (first.computed_count, second.computed_count) == (2, 1)
    assert server.counts - asked == Counter({"clip-001": 1})
    assert [failure.item_id for failure in second.failures] == ["clip-002"]


def test_rotated_orders_of_the_letters_are_averaged_and_a_liking_for_a_place_cancels_out(clip: Path) -> None:
    def biased(call: Call) -> Reply:
        liking = [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05]
        return completion("A", [("A", dict(zip("ABCDEFGH", liking, strict=True)))])

    server, meter = ChatServer(biased), Meter()
    with server.running() as url:
        [even] = ends_of(label_clips(labeller(url, rotations=8), tasks(clip, 1), meter=meter)).values()
        [two] = ends_of(label_clips(labeller(url, rotations=2), tasks(clip, 1), meter=Meter())).values()
    assert list(probabilities(even).values()) == pytest.approx([0.125] * 8)
    assert probabilities(two)["amusement"] == pytest.approx((0.3 + 0.1) / 2)
    assert probabilities(two)["anger"] == pytest.approx((0.1 + 0.3) / 2)
    assert even.payload is not None
    assert even.payload["prompt_token_count"] == 800
    assert (meter.clip_count, meter.prompt_token_count, meter.output_token_count) == (1, 800, 8)
    orders = [[line[3:] for line in call.text.splitlines()[1:]] for call in server.calls[:8]]
    assert orders == [rotated(number, 8) for number in range(8)]
    assert {len(call.frames) for call in server.calls} == {2}


def test_a_request_holds_the_frames_as_pictures_and_asks_for_nothing_but_the_likeliest_tokens(clip: Path) -> None:
    server = ChatServer(knowing)
    with server.running() as url:
        ends_of(label_clips(labeller(url), tasks(clip, 1), meter=Meter()))
    [call] = server.calls
    assert {name: value for name, value in call.body.items() if name != "messages"} == {
        "model": "tiny",
        "max_tokens": 1,
        "temperature": 1,
        "top_p": 1,
        "seed": 0,
        "logprobs": True,
        "top_logprobs": 20,
    }
    seen = frames.read(clip, (0.0, 0.3), 32)
    for url, (_, expected) in zip(call.frames, seen, strict=True):
        picture = decoded(url)
        assert picture.shape == expected.shape
        assert np.abs(picture.astype(int) - expected).mean() < 12


def test_words_are_read_where_the_server_is_bound_to_them(clip: Path) -> None:
    def bound(call: Call) -> Reply:
        assert call.body["structured_outputs"] == {"choice": list(EMOTION_NAMES)}
        assert call.body["regex"] == "amusement|awe|contentment|excitement|anger|disgust|fear|sadness"
        first = {name[:3]: probability for name, probability in truth(call.clip).items()}
        return completion("fear", [("fea", first), ("r", {"r": 1.0})])

    with ChatServer(bound).running() as url:
        [end] = ends_of(label_clips(labeller(url, answer="choice"), tasks(clip, 1, "which?"), meter=Meter())).values()
    assert probabilities(end) == pytest.approx(truth("clip-000"), abs=1e-6)


def test_a_lettered_way_of_asking_needs_a_place_for_the_letters(clip: Path) -> None:
    server = ChatServer(knowing)
    with server.running() as url, pytest.raises(EndpointError, match=r"has no \{options\}"):
        ends_of(label_clips(labeller(url), tasks(clip, 3, "which?"), meter=Meter()))
    assert server.calls == []


def test_a_clip_that_cannot_be_read_ends_alone_and_costs_nothing(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    missing = ClipRequest(str(tmp_path / "empty.mp4"), (0.0,), 32, "clip-999 {options}").as_arguments()
    server = ChatServer(knowing)
    with server.running() as url:
        ends = ends_of(label_clips(labeller(url), [*tasks(clip, 2), ("bad", missing)], meter=Meter()))
    assert (ends["bad"].code, len(server.calls)) == ("empty_file", 2)


def test_an_outage_ends_the_run_and_leaves_the_clips_it_met_to_do(clip: Path, tmp_path: Path) -> None:
    is_down = threading.Event()

    def answer(call: Call) -> Reply:
        if int(call.clip.removeprefix("clip-")) >= 10:
            is_down.set()
        return refusal(503, "overloaded") if is_down.is_set() else knowing(call)

    server = ChatServer(answer)
    with server.running() as url:
        settings = labeller(url, attempts=2)
        with pytest.raises(EndpointError, match=r"has not answered for \d+ clips in a row.*overloaded"):
            labelled(tmp_path, settings, clip, 200, manners=QUICK)
        store = ItemStore(tmp_path / "state.sqlite")
        assert store.failures("movie", STEP) == []
        before = len(store.finished_keys(STEP, "movie"))
        store.close()
        assert 6 <= before <= 13
        assert len(server.counts) < 60, "it did not go on to all 200"
        server.answer = knowing
        outcome = labelled(tmp_path, settings, clip, 200, manners=QUICK)
    assert (outcome.computed_count, outcome.failures) == (200 - before, [])


def test_clips_without_an_answer_are_quarantined_once_a_later_one_is_answered(clip: Path) -> None:
    def fails(call: Call) -> bool:
        return int(call.clip.removeprefix("clip-")) % 4 != 3

    server = ChatServer(lambda call: refusal(500, "crash") if fails(call) else knowing(call))
    with server.running() as url:
        ends = ends_of(
            label_clips(labeller(url, concurrency=1, attempts=1), tasks(clip, 48), meter=Meter(), manners=QUICK)
        )
    assert Counter(end.code for end in ends.values()) == {"no_answer": 36, "": 12}


def test_a_server_without_log_probabilities_ends_the_run_before_it_costs_much_and_no_clip_is_blamed(
    clip: Path, tmp_path: Path
) -> None:
    server = ChatServer(lambda call: completion("A"))
    with server.running() as url:
        with pytest.raises(EndpointError, match=r"Not one of \d+ answers.*chat template.*no log-probabilities"):
            labelled(tmp_path, labeller(url), clip, 200, manners=QUICK)
        assert 48 <= len(server.calls) < 60
        store = ItemStore(tmp_path / "state.sqlite")
        assert store.failures("movie", STEP) == []
        store.close()
        server.answer = knowing
        outcome = labelled(tmp_path, labeller(url), clip, 200, manners=QUICK)
    assert (outcome.computed_count, outcome.failures) == (200, [])


@pytest.mark.parametrize("bad", [0, 7])
def test_a_clip_that_the_model_does_not_understand_is_quarantined_wherever_it_stands(
    bad: int, clip: Path, tmp_path: Path
) -> None:
    server = ChatServer(lambda call: completion("A") if call.clip == f"clip-{bad:03d}" else knowing(call))
    with server.running() as url:
        outcome = labelled(tmp_path, labeller(url, concurrency=1), clip, 8, manners=QUICK)
        asked = server.counts
        again = labelled(tmp_path, labeller(url, concurrency=1), clip, 8, manners=QUICK)
    for found in (outcome, again):
        assert [(one.item_id, one.code) for one in found.failures] == [(f"clip-{bad:03d}", "unusable_answer")]
    assert (outcome.computed_count, again.computed_count) == (7, 0)
    assert server.counts == asked


def test_a_film_of_which_no_clip_can_be_answered_does_not_stand_for_the_library(clip: Path, tmp_path: Path) -> None:
    server = ChatServer(lambda call: completion("A") if count_of(call.clip) < 60 else knowing(call))
    project = Project(home_folder=str(tmp_path))

    def asked() -> Iterator[tuple[dict[str, Any], ClipRequest]]:
        for number in range(180):
            row = {"clip_id": f"clip-{number:03d}", "media_path": clip.name}
            row |= {"sha256": "content", "colour_matrix": "rgb", "is_colour_tagged": True}
            yield row, ClipRequest(str(clip), (0.0,), 32, f"clip-{number:03d}: which?\n{{options}}")

    with server.running() as url:
        values = labeller(url).model_dump(include={"backend", "model", "base_url", "rotations"})
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        (tmp_path / "emovid.toml").write_text("\n".join(["[labeller]", *lines]), encoding="utf-8")
        model = vlm.Model(ModelPlace("tiny", "served"))
        outcome = vlm.label(project, "movie", model, asked(), Meter(), logging.getLogger("emovid"))
    assert {one.item_id for one in outcome.failures} == {f"clip-{number:03d}" for number in range(60)}
    assert {one.code for one in outcome.failures} == {"unusable_answer"}
    assert outcome.computed_count == 120


def count_of(text: str) -> int:
    return int(text.removeprefix("clip-"))


@pytest.mark.parametrize("bad_count", [2, 60])
def test_a_server_that_answers_what_it_has_answered_before_is_not_at_fault(
    bad_count: int, clip: Path, tmp_path: Path
) -> None:
    server = ChatServer(lambda call: completion("A") if count_of(call.clip) >= 3 else knowing(call))
    with server.running() as url:
        assert labelled(tmp_path, labeller(url), clip, 3, manners=QUICK).computed_count == 3
        asked = server.counts
        second = labelled(tmp_path, labeller(url), clip, 3 + bad_count, manners=QUICK)
        once_more = server.counts - asked
        # All that is left is bad, and is asked for on purpose.
        third = labelled(tmp_path, labeller(url), clip, 3 + bad_count, manners=QUICK, retry_quarantined=True)
    assert once_more == Counter({f"clip-{n:03d}": 1 for n in (0, *range(3, 3 + bad_count))})
    for outcome, attempts in ((second, 1), (third, 2)):
        assert len(outcome.payloads) == 3
        assert len(outcome.failures) == bad_count
        assert {(one.code, one.attempt_count) for one in outcome.failures} == {("unusable_answer", attempts)}


def test_a_server_that_was_right_and_is_wrong_now_puts_no_clip_into_quarantine(clip: Path, tmp_path: Path) -> None:
    server = ChatServer(knowing)
    with server.running() as url:
        labelled(tmp_path, labeller(url), clip, 3, manners=QUICK)
        server.answer = lambda call: completion("A")
        with pytest.raises(EndpointError, match=r"Not one of \d+ answers"):
            labelled(tmp_path, labeller(url), clip, 100, manners=QUICK)
        server.answer = knowing
        outcome = labelled(tmp_path, labeller(url), clip, 100, manners=QUICK)
    assert (outcome.computed_count, outcome.failures) == (97, [])


def test_a_run_that_ends_without_a_usable_answer_leaves_open_whose_fault_it_was(clip: Path, tmp_path: Path) -> None:
    server = ChatServer(lambda call: completion("A"))
    with server.running() as url:
        first = labelled(tmp_path, labeller(url), clip, 3, manners=QUICK)
        assert {one.code for one in first.failures} == {"no_usable_answer"}
        (message,) = {one.message for one in first.failures}
        assert message.startswith("The answer has no log-probabilities. ")
        assert message.endswith("the server may be at fault. The next build asks again.")
        server.answer = lambda call: completion("A") if call.clip == "clip-001" else knowing(call)
        second = labelled(tmp_path, labeller(url), clip, 3, manners=QUICK)
    assert second.computed_count == 2
    assert [(one.item_id, one.code) for one in second.failures] == [("clip-001", "unusable_answer")]


def test_a_wrong_key_ends_the_run_at_once_and_quarantines_nothing(clip: Path) -> None:
    server = ChatServer(lambda call: refusal(401, f"Incorrect API key provided: {KEY}"))
    with server.running() as url, pytest.raises(EndpointError, match="Check the key") as caught:
        ends_of(label_clips(labeller(url), tasks(clip, 1000), meter=Meter(), manners=QUICK))
    assert KEY not in str(caught.value)
    assert len(server.calls) <= 8


def test_only_a_few_clips_are_in_memory_and_under_way(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_count = ended_count = pulled_count = most_held = 0
    read = frames.read

    def counted(*arguments: Any) -> Any:
        nonlocal read_count
        read_count += 1
        return read(*arguments)

    def pulled() -> Iterator[Task]:
        nonlocal pulled_count, most_held
        for task in tasks(clip, 60):
            pulled_count += 1
            most_held = max(most_held, pulled_count - ended_count)
            yield task

    monkeypatch.setattr(endpoint_run.frames, "read", counted)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)

    def slow(call: Call) -> Reply:
        time.sleep(0.01)
        return knowing(call)

    server = ChatServer(slow)
    with server.running() as url:
        for ends in label_clips(labeller(url, concurrency=3), pulled(), meter=Meter()):
            ended_count += len(ends)
            assert read_count - ended_count <= 5
    assert (read_count, ended_count) == (60, 60)
    assert most_held <= 3 + 2
    assert server.most_at_once <= 3


def test_the_meter_tells_time_and_what_was_paid(clip: Path) -> None:
    def slow(call: Call) -> Reply:
        time.sleep(0.05)
        return refusal(503, "busy") if call.clip == "clip-000" and call.number == 1 else knowing(call)

    meter = Meter()
    with ChatServer(slow).running() as url:
        ends = ends_of(label_clips(labeller(url, concurrency=2), tasks(clip, 6), meter=meter, manners=QUICK))
    charged = sum(end.payload["model_s"] for end in ends.values() if end.payload)
    assert charged == pytest.approx(meter.model_s, rel=0.02)
    assert 0.15 <= meter.model_s < 20
    assert (meter.clip_count, meter.prompt_token_count, meter.output_token_count) == (6, 600, 6)
    assert meter.notes == {"request_count": 7, "retry_count": 1}


def test_captions_break_rules_are_cut_off_and_written_anew_until_one_is_right(clip: Path) -> None:
    def writing(call: Call) -> Reply:
        usage = {"prompt_tokens": 50, "completion_tokens": 10 + call.number}
        if call.clip == "clip-000":
            return completion(SENTENCE, usage=usage)
        if call.clip == "clip-001":
            cut = call.number == 1
            text = SENTENCE[:30] if cut else SENTENCE
            return completion(text, finish_reason="length" if cut else "stop", usage=usage)
        if call.clip == "clip-002":
            return completion("No." if call.number < 3 else f"  {SENTENCE}\n", usage=usage)
        return completion(f"Sorry, {KEY}", usage=usage)

    server, meter = ChatServer(writing), Meter()
    with server.running() as url:
        ends = ends_of(caption_clips(captioner(url), tasks(clip, 4, "tell"), rules=RULES, meter=meter))
    answers = [CaptionAnswer.of(ends[f"clip-00{n}"].payload or {}) for n in range(3)]
    assert [answer.caption for answer in answers] == [SENTENCE] * 3
    assert [answer.attempt_count for answer in answers] == [1, 2, 3]
    assert [answer.prompt_token_count for answer in answers] == [50, 100, 150]
    assert [answer.output_token_count for answer in answers] == [11, 23, 36]
    assert ends["clip-003"].code == "bad_caption"
    assert "The last of 3 captions is no good: the model refused: 'Sorry, [hidden]'" in ends["clip-003"].message
    assert KEY not in ends["clip-003"].message
    sent = [(call.body["temperature"], call.body["seed"]) for call in server.calls if call.clip == "clip-002"]
    assert sent == [(0.0, 1), (0.7, 2), (0.7, 3)]
    assert (meter.clip_count, meter.prompt_token_count, meter.output_token_count) == (4, 450, 106)


def test_a_caption_that_repeats_the_key_is_kept_without_it(clip: Path) -> None:
    with ChatServer(lambda call: completion(f"A hare holds {KEY} up high.")).running() as url:
        [end] = ends_of(caption_clips(captioner(url), tasks(clip, 1, "tell"), rules=RULES, meter=Meter())).values()
    assert end.payload is not None
    assert end.payload["caption"] == "A hare holds [hidden] up high."


def test_a_reader_that_goes_away_ends_what_waits_for_another_attempt(clip: Path) -> None:
    patient = Manners(first_pause_s=0.3)
    server = ChatServer(lambda call: knowing(call) if call.clip == "clip-000" else refusal(503, "busy"))
    with server.running() as url:
        ends = label_clips(labeller(url), tasks(clip, 500), meter=Meter(), manners=patient)
        next(ends)
        while len(server.calls) < 4:
            time.sleep(0.005)
        ends.close()
        time.sleep(0.6)
    # A busy machine has asked a few more before it saw that nobody waits.
    assert len(server.calls) <= 25
    assert set(server.counts.values()) == {1}


@pytest.mark.integration
def test_a_killed_run_is_taken_up_without_asking_about_a_finished_clip_again(clip: Path, tmp_path: Path) -> None:
    def slow(call: Call) -> Reply:
        time.sleep(0.02)
        return knowing(call)

    server = ChatServer(slow)
    with server.running() as url:
        command = [sys.executable, "-m", "emovid_assets_tests.resources.run_endpoint"]
        arguments = [str(tmp_path), url, str(clip), "60", "3"]
        process = subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL, env={**os.environ})
        while len(server.calls) < 30:
            assert process.poll() is None
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
        store = ItemStore(tmp_path / "state.sqlite")
        finished = set(store.finished_keys(STEP, "movie"))
        store.close()
        assert 20 <= len(finished) < 60
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=True, timeout=60, env={**os.environ}
        )
    assert f'"computed": {60 - len(finished)}, "failed": 0' in done.stdout
    counts = server.counts
    assert len(counts) == 60
    assert {counts[item_id] for item_id in finished} == {1}
    assert sum(counts.values()) - 60 <= 3 + 2, "no more than what was under way"


@pytest.mark.integration
@pytest.mark.parametrize("name", ["llava_onevision", "qwen25_vl"])
def test_the_distribution_is_the_models_own(
    name: str, clip: Path, tiny_chat_model: Callable[[str], Path], tmp_path: Path
) -> None:
    model = TinyModel(tiny_chat_model(name))
    server = ChatServer(faulty(model.answer, {}))
    with server.running() as url:
        outcome = labelled(tmp_path, labeller(url, rotations=2, timeout_s=60), clip, 6, manners=QUICK)
    assert (outcome.computed_count, outcome.failures) == (6, [])
    for item_id, payload in outcome.payloads.items():
        expected = dict.fromkeys(EMOTION_NAMES, 0.0)
        calls = [call for call in server.calls if call.clip == item_id]
        for rotation in range(2):
            order = rotated(rotation, 2)
            lettered = "\n".join(f"{letter}. {emotion}" for letter, emotion in zip("ABCDEFGH", order, strict=True))
            told = model.probabilities([decoded(url) for url in calls[0].frames], f"{item_id}: which?\n{lettered}")
            shares = dict.fromkeys("ABCDEFGH", 0.0)
            for token, probability in zip(model.tokens, told, strict=True):
                if len(token.strip()) == 1 and token.strip().upper() in shares:
                    shares[token.strip().upper()] += float(probability)
            for letter, emotion in zip("ABCDEFGH", order, strict=True):
                expected[emotion] += shares[letter] / sum(shares.values()) / 2
        assert LabelAnswer.of(payload).probabilities() == pytest.approx(expected, abs=1e-3)
        assert payload["prompt_token_count"] > 20


class AnyText(CaptionRules):
    """Random weights write no sentences."""

    def judged(self, written: str, *, is_finished: bool = True, prompt: str = "") -> tuple[str, str | None]:
        return written, None


@pytest.mark.integration
def test_captions_are_the_models_own_words(clip: Path, tiny_chat_model: Callable[[str], Path]) -> None:
    model = TinyModel(tiny_chat_model("qwen25_vl"))
    server = ChatServer(faulty(model.answer, {}))
    with server.running() as url:
        settings = captioner(url, timeout_s=60, max_tokens=12)
        rules = AnyText(min_words=1, max_words=80)
        ends = ends_of(caption_clips(settings, tasks(clip, 4, "tell"), rules=rules, meter=Meter(), manners=QUICK))
    for item_id, end in ends.items():
        answer = CaptionAnswer.of(end.payload or {})
        call = next(call for call in server.calls if call.clip == item_id)
        [expected] = model.chat.write(
            [model.prepared([decoded(url) for url in call.frames], f"{item_id}: tell")], max_tokens=12
        )
        assert (answer.caption, answer.output_token_count) == (expected.text, expected.token_count)
        assert server.counts[item_id] == 2
