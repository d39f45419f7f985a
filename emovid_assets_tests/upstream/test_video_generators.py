"""What we rely on in diffusers' video pipelines; these fail first where a new release differs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emovid_assets.core.generation.frame_counts import frames_made
from emovid_assets_tests.generation.test_tiny_generators import loaded, made
from emovid_assets_tests.generation.tiny_generators import SIDE, tiny_adapter

Tiny = Callable[[str], Path]
ASKED = (5, 6, 8, 9, 10, 13)
COME = {
    "wan_t2v": (5, 5, 9, 9, 9, 13),
    "wan22_i2v": (5, 5, 9, 9, 9, 13),
    "cogvideox_t2v": (8, 8, 8, 9, 9, 16),
    "cogvideox_i2v": (8, 8, 8, 9, 9, 16),
    "hunyuan_t2v": (5, 5, 5, 9, 9, 13),
    "hunyuan_i2v": (1, 1, 1, 5, 5, 9),
}
"""Frames by what is asked."""


@pytest.mark.parametrize("name", COME)
def test_families_round_the_number_of_frames_and_we_know_how(name: str, tiny_generator: Tiny) -> None:
    pipeline = loaded(tiny_generator(name))
    come = tuple(len(made(pipeline, name, frames=asked)) for asked in ASKED)
    assert come == COME[name]
    assert tuple(frames_made(type(pipeline).__name__, asked) for asked in ASKED) == come


def test_weights_of_no_number_give_frames_of_no_number(tiny_generator: Tiny) -> None:
    import torch

    pipeline = loaded(tiny_generator("cogvideox_t2v"))
    with torch.no_grad():
        next(pipeline.transformer.parameters()).fill_(float("nan"))
    assert np.isnan(made(pipeline, "cogvideox_t2v")).any()


def test_a_random_generator_a_video_makes_the_size_of_a_batch_irrelevant(tiny_generator: Tiny) -> None:
    import torch

    pipeline = loaded(tiny_generator("wan_t2v"))

    def run(prompts: list[str], seeds: list[int]) -> np.ndarray:
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        size = {"height": SIDE, "width": SIDE, "num_frames": 5, "num_inference_steps": 1}
        return np.asarray(pipeline(prompt=prompts, generator=generators, output_type="np", **size).frames)

    both = run(["a dog runs", "a cat sleeps"], [1, 2])
    assert np.allclose(both[0], run(["a dog runs"], [1])[0], atol=1e-5)
    assert np.allclose(both[1], run(["a cat sleeps"], [2])[0], atol=1e-5)
    assert not np.allclose(both[0], both[1], atol=1e-3)


def test_an_adapter_whose_names_match_nothing_is_loaded_without_an_error_and_does_nothing(
    tiny_generator: Tiny, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    pipeline = loaded(tiny_generator("wan_t2v"))
    before = made(pipeline, "wan_t2v")
    state = load_file(tiny_adapter(tiny_generator("wan_t2v"), tmp_path / "lora.safetensors"))
    as_diffsynth_saves = {
        key.removeprefix("transformer.").replace("lora_A.", "lora_A.default."): value for key, value in state.items()
    }
    pipeline.load_lora_weights(as_diffsynth_saves, adapter_name="dead")
    assert np.array_equal(made(pipeline, "wan_t2v"), before)
