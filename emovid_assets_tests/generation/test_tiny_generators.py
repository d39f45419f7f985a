"""The generators of random weights that other tests run: each is what its name says, and listens to its prompt."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emovid_assets_tests.generation.tiny_generators import BUILDERS, FRAMES, SIDE, tiny_adapter

CLASSES = {
    "wan_t2v": "WanPipeline",
    "wan_i2v": "WanImageToVideoPipeline",
    "wan22_i2v": "WanImageToVideoPipeline",
    "cogvideox_t2v": "CogVideoXPipeline",
    "cogvideox_i2v": "CogVideoXImageToVideoPipeline",
    "hunyuan_t2v": "HunyuanVideoPipeline",
    "hunyuan_i2v": "HunyuanVideoImageToVideoPipeline",
}
GENERATORS = tuple(name for name in BUILDERS if name != "clip")


def loaded(folder: Path) -> Any:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def made(pipeline: Any, name: str, prompt: str = "a dog runs", frames: int = FRAMES) -> np.ndarray:
    import torch
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    picture = {"image": Image.fromarray(noise)} if name.endswith("i2v") else {}
    found = pipeline(
        prompt=prompt,
        height=SIDE,
        width=SIDE,
        num_frames=frames,
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(0),
        output_type="np",
        **picture,
    )
    return np.asarray(found.frames)[0]


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_is_of_the_class_of_the_real_one_and_listens_to_its_prompt(
    name: str, tiny_generator: Callable[[str], Path]
) -> None:
    pipeline = loaded(tiny_generator(name))
    one, other = made(pipeline, name), made(pipeline, name, prompt="a cat sleeps in the sun")
    assert type(pipeline).__name__ == CLASSES[name]
    assert one.shape[1:] == (SIDE, SIDE, 3)
    assert np.ptp(one) > 0.05
    assert np.abs(one - other).max() > 1e-5


@pytest.mark.parametrize("name", ["wan_t2v", "cogvideox_i2v"])
def test_an_adapter_changes_what_a_generator_makes(
    name: str, tiny_generator: Callable[[str], Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    pipeline = loaded(tiny_generator(name))
    before = made(pipeline, name)
    pipeline.load_lora_weights(load_file(tiny_adapter(tiny_generator(name), tmp_path / "lora.safetensors")))
    assert np.abs(made(pipeline, name) - before).max() > 0.01


def test_the_clip_takes_texts_and_pictures(tiny_generator: Callable[[str], Path]) -> None:
    import torch
    from PIL import Image
    from transformers import AutoModel, AutoProcessor

    folder = tiny_generator("clip")
    model, processor = AutoModel.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    inputs = processor(text=["a dog runs"], images=[Image.new("RGB", (40, 40))], return_tensors="pt", padding=True)
    with torch.no_grad():
        found = model(**inputs)
    assert found.text_embeds.shape == found.image_embeds.shape == (1, 24)
