"""Vision-language models of three classes: scores are those of transformers by hand, whatever the way and the batch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.model_place import find_model
from emovid_assets.core.vlm.chat_model import ChatModel, Prepared, load_chat_model
from emovid_assets_tests.resources.tiny_chat_models import TINY_CHAT_MODELS

pytestmark = pytest.mark.integration
PROMPT = "Which emotion does it evoke?"
AROUND_AN_ANSWER = {
    "llava_onevision": ("", "<|im_end|>"),
    "qwen25_vl": ("", "<|im_end|>"),
    "smolvlm": (" ", "<end_of_utterance>"),
    "gemma3": ("", "<end_of_turn>"),
}
"""What stands between the prompt and an answer, and what ends one, read off the templates by a person."""


# Of the module's scope, so that the tests run model by model and each is loaded once.
@pytest.fixture(scope="module", params=TINY_CHAT_MODELS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def loaded(name: str, tiny_chat_model: Callable[[str], Path]) -> ChatModel:
    return load_chat_model(find_model(str(tiny_chat_model(name)), Path()), device="cpu", precision="float32")


@pytest.fixture
def model(loaded: ChatModel) -> ChatModel:
    loaded.scorer.forget()
    return loaded


def clip(seed: int, count: int) -> tuple[list[np.ndarray], list[float]]:
    """Frames of one colour with noise, a third of a second apart."""
    chance = np.random.default_rng(seed)
    colour = chance.integers(0, 255, 3)
    frames = np.clip(colour + chance.integers(-40, 40, (count, 48, 64, 3)), 0, 255).astype(np.uint8)
    return list(frames), [0.1 + index / 3 for index in range(count)]


def prepared(model: ChatModel, *clips: tuple[int, int]) -> list[Prepared]:
    return [model.prepare(*clip(seed, count), PROMPT + " Tell." * seed) for seed, count in clips]


UNEQUAL = ((0, 4), (1, 8), (2, 4), (3, 3), (4, 1))
"""Clips (seed, frames) that differ in frames and in words."""


def by_hand(folder: Path, name: str, seed: int, count: int) -> list[float]:
    """With nothing but transformers: the whole prompt anew with each label behind it, and numpy's logarithms."""
    processor = transformers.AutoProcessor.from_pretrained(folder)
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    frames, pts_s = clip(seed, count)
    pictures = [{"type": "image"}] * count if name == "gemma3" else [{"type": "video"}]
    content = [*pictures, {"type": "text", "text": PROMPT + " Tell." * seed}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    # A second and a third: frames at 0.1, 0.433, 0.767 … of a video of 30 frames per second.
    stamps = [round(stamp * 30) for stamp in pts_s]
    about = {"fps": 30.0, "total_num_frames": 10 * count if count > 1 else 30, "frames_indices": stamps}
    about["duration"] = max(about["total_num_frames"] / 30, pts_s[-1])
    if name == "gemma3":
        given = processor(text=[text], images=[frames], add_special_tokens=False, return_tensors="pt")
    else:
        given = processor(
            text=[text], videos=[np.stack(frames)], video_metadata=[about], do_sample_frames=False, return_tensors="pt"
        )
    lead, end = AROUND_AN_ANSWER[name]
    scores = []
    for label in EMOTION_NAMES:
        answer = processor.tokenizer(lead + label, add_special_tokens=False).input_ids
        answer.append(processor.tokenizer.convert_tokens_to_ids(end))
        more = torch.tensor([answer])
        longer = dict(given)
        longer["input_ids"] = torch.cat([given["input_ids"], more], 1)
        longer["attention_mask"] = torch.ones_like(longer["input_ids"])
        for kinds in {"mm_token_type_ids", "token_type_ids"} & set(given):
            longer[kinds] = torch.cat([given[kinds], torch.zeros_like(more)], 1)
        with torch.no_grad():
            logits = model(**longer).logits[0, -len(answer) - 1 : -1].numpy().astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        logarithms = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        scores.append(float(logarithms[range(len(answer)), answer].sum()))
    return scores


def assert_close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)


def test_scores_are_those_of_transformers_by_hand(
    name: str, model: ChatModel, tiny_chat_model: Callable[[str], Path]
) -> None:
    clips = [(0, 4), (1, 8)]
    expected = [by_hand(tiny_chat_model(name), name, seed, count) for seed, count in clips]
    assert_close(model.score(prepared(model, *clips)), expected)
    assert np.ptp(expected[0]) > 1, "labels must differ, or any order would pass"


@pytest.mark.parametrize("way", ["tree", "rows"])
def test_scores_from_the_cache_are_the_naive_ones_for_clips_of_unequal_length(
    name: str, model: ChatModel, way: str
) -> None:
    batch = prepared(model, *UNEQUAL)
    naive = [model.score_naive(one) for one in batch]
    model.scorer.way = way
    assert_close(model.score(batch), naive)
    # One mask for all layers does not fit a model of which some see a window only; nothing else may fall back.
    assert model.scorer.way == ("rows" if name == "gemma3" else way)
    assert_close([model.score([one])[0] for one in batch], naive)


def test_written_text_does_not_depend_on_the_neighbours_in_the_batch(model: ChatModel) -> None:
    batch = prepared(model, *UNEQUAL)
    together = model.write(batch, max_tokens=10)
    assert together == [model.write([one], max_tokens=10)[0] for one in batch]
    assert all(one.token_count == 10 and not one.is_finished and one.text for one in together)


def test_a_sampled_text_repeats_with_its_seed_and_leaves_the_callers_chance_alone(model: ChatModel) -> None:
    batch = prepared(model, (0, 4))
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = [model.write(batch, max_tokens=16, seed=seed) for seed in (1, 2)]
    assert [model.write(batch, max_tokens=16, seed=seed) for seed in (1, 2)] == first
    assert first[0] != first[1]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_answer_ends_at_the_end_token_of_the_template(name: str, model: ChatModel) -> None:
    end = model.processor.tokenizer.convert_tokens_to_ids(AROUND_AN_ANSWER[name][1])
    word = model.processor.tokenizer("awe", add_special_tokens=False).input_ids
    written = model._ended([*word, end, *word])
    assert (written.text, written.token_count, written.is_finished) == ("awe", len(word) + 1, True)


def test_a_way_that_is_wrong_or_fails_is_given_up_for_a_slower_one(
    model: ChatModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    batch = prepared(model, *UNEQUAL)
    naive = [model.score_naive(one) for one in batch]
    scorer = model.scorer

    def shifted(inputs: Any) -> list[list[float]]:
        return [[score + 0.01 for score in row] for row in scorer._by_rows(inputs)]

    def broken(inputs: Any) -> list[list[float]]:
        raise ValueError("this model has no cache")

    monkeypatch.setattr(scorer, "_ways", {"tree": shifted, "rows": broken})
    with caplog.at_level("INFO"):
        assert_close(model.score(batch), naive)
    assert scorer.way == "naive"
    assert "tree are off by 0.01" in caplog.text
    assert "this model has no cache" in caplog.text
