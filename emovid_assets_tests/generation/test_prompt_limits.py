"""What text models do not read of a prompt is told; what they do read changes what they make of it."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from emovid_assets.core.generation.prompt_limits import cuts_told
from emovid_assets_tests.generation.homes import benchmark, generator, made, write_settings
from emovid_assets_tests.generation.test_tiny_generators import loaded

Tiny = Callable[[str], Path]
# Each letter of a word that no template has is a token.
SHORT, LONG, LONG_TOO = "q z", "q " * 90, "q " * 90 + "z"


def test_the_clip_of_hunyuanvideo_reads_77_tokens_and_says_so(tiny_generator: Tiny) -> None:
    pipeline = loaded(tiny_generator("hunyuan_t2v"))

    given: list[list[int]] = []
    pipeline.text_encoder_2.register_forward_pre_hook(lambda model, ids: given.append(ids[0][0].tolist()))

    def seen(prompt: str) -> list[int]:
        pipeline._get_clip_prompt_embeds(prompt)
        return given[-1]

    assert seen(LONG) == seen(LONG_TOO)
    assert len(given[-1]) == 77
    assert seen(SHORT) != seen("q q")
    assert list(cuts_told(pipeline, [SHORT], {})) == []
    # The language model beside it reads 256.
    assert list(cuts_told(pipeline, [SHORT, LONG, LONG_TOO], {})) == [
        "CLIPTextModel reads 77 tokens and not the end of 2 of 3 prompts, where the emotion is named"
    ]
    assert len(list(cuts_told(pipeline, ["q " * 300], {}))) == 2


def test_the_limit_of_other_text_models_is_the_pipelines_own_or_that_of_the_settings(tiny_generator: Tiny) -> None:
    pipeline = loaded(tiny_generator("cogvideox_t2v"))
    assert list(cuts_told(pipeline, [LONG, "q " * 220], {})) == []
    assert list(cuts_told(pipeline, ["q " * 230], {})) == [
        "T5EncoderModel reads 226 tokens and not the end of the prompt, where the emotion is named"
    ]
    assert len(list(cuts_told(pipeline, [LONG], {"max_sequence_length": 16}))) == 1

    def seen(prompt: str) -> Any:
        return pipeline.encode_prompt(prompt, do_classifier_free_guidance=False, max_sequence_length=16)[0]

    assert torch.equal(seen(LONG), seen(LONG_TOO))


def test_a_run_tells_of_each_model_how_many_prompts_are_too_long(
    tmp_path: Path, tiny_generator: Tiny, caplog: pytest.LogCaptureFixture
) -> None:
    write_settings(tmp_path, generator("hunyuan", tiny_generator("hunyuan_t2v"), seeds=[0, 1]))
    rows = benchmark(tmp_path, count=2)
    rows[0]["prompt"] = LONG
    with caplog.at_level(logging.WARNING):
        found = made(tmp_path, rows)
    told = [record.getMessage() for record in caplog.records if "tokens" in record.getMessage()]
    assert told == [
        "hunyuan: CLIPTextModel reads 77 tokens and not the end of 1 of 2 prompts, where the emotion is named"
    ]
    assert found.stage.remarks == [f"{told[0]}."]
