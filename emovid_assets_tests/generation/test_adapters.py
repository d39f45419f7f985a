"""LoRA adapters of generators: several with weights, in the names of several trainers, and refused where they do
nothing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emovid_assets.core.generation.adapters import Adapter, add_adapters
from emovid_assets_tests.generation.homes import benchmark, bytes_of, generator, made, write_settings
from emovid_assets_tests.generation.test_tiny_generators import loaded
from emovid_assets_tests.generation.test_tiny_generators import made as frames_of
from emovid_assets_tests.generation.tiny_generators import tiny_adapter

Tiny = Callable[[str], Path]
State = Mapping[str, torch.Tensor]
DIFFSYNTH = {"attn1": "self_attn", "attn2": "cross_attn", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "o"}


def merged(pipeline: Any, *parts: tuple[State, float]) -> Any:
    """The pipeline with W + Σ weight · B A in the place of each W, by hand."""
    layers = dict(pipeline.transformer.named_modules())
    with torch.no_grad():
        for state, weight in parts:
            for key in (key for key in state if ".lora_A." in key):
                layer = layers[key.removeprefix("transformer.").partition(".lora_A")[0]]
                layer.weight += weight * state[key.replace("lora_A", "lora_B")] @ state[key]
    return pipeline


def as_diffsynth(state: State) -> dict[str, torch.Tensor]:
    """The names that DiffSynth-Studio gives the same weights of a Wan model."""
    renamed = {}
    for key, value in state.items():
        name = key.removeprefix("transformer.").replace(".lora_A.", ".lora_A.default.")
        name = name.replace(".lora_B.", ".lora_B.default.")
        for ours, theirs in DIFFSYNTH.items():
            name = name.replace(f".{ours}.", f".{theirs}.")
        renamed[name] = value
    return renamed


def test_several_adapters_add_up_by_their_weights(tiny_generator: Tiny, tmp_path: Path) -> None:
    folder = tiny_generator("wan_t2v")
    one, two = (tiny_adapter(folder, tmp_path / f"{seed}.safetensors", seed=seed, strength=0.3) for seed in (1, 2))
    pipeline = loaded(folder)
    add_adapters(pipeline, [Adapter("fear.v2", one, 0.8, ""), Adapter("cat", two, -0.6, "")])
    by_hand = merged(loaded(folder), (load_file(one), 0.8), (load_file(two), -0.6))
    found, expected = frames_of(pipeline, "wan_t2v"), frames_of(by_hand, "wan_t2v")
    assert np.abs(found - expected).max() < 1e-4
    assert np.abs(found - frames_of(loaded(folder), "wan_t2v")).max() > 1e-3


def test_an_adapter_of_diffsynth_counts_as_it_is_saved(tiny_generator: Tiny, tmp_path: Path) -> None:
    folder = tiny_generator("wan_t2v")
    ours = tiny_adapter(folder, tmp_path / "ours.safetensors", strength=0.3)
    save_file(as_diffsynth(load_file(ours)), tmp_path / "theirs.safetensors")
    pipeline = loaded(folder)
    add_adapters(pipeline, [Adapter("emotion", tmp_path / "theirs.safetensors", 1.0, "")])
    by_hand = merged(loaded(folder), (load_file(ours), 1.0))
    assert np.abs(frames_of(pipeline, "wan_t2v") - frames_of(by_hand, "wan_t2v")).max() < 1e-4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda state: {f"nowhere.{k}": v for k, v in state.items()},
            "changes nothing: names like nowhere.transformer",
        ),
        (lambda state: {k: torch.zeros_like(v) for k, v in state.items()}, "its matrices are zeros"),
        (lambda state: {}, "holds no weights"),
    ],
)
def test_an_adapter_that_changes_nothing_is_refused_with_a_sentence(
    change: Callable[[State], dict[str, torch.Tensor]], said: str, tiny_generator: Tiny, tmp_path: Path
) -> None:
    folder, file = tiny_generator("wan_t2v"), tmp_path / "models" / "dead.safetensors"
    state = load_file(tiny_adapter(folder, file))
    save_file(change(state), file)
    adapters = [{"name": "dead", "file": "models/dead.safetensors"}]
    write_settings(tmp_path, generator("plain", folder), generator("adapted", folder, adapters=adapters))
    found = made(tmp_path, benchmark(tmp_path, count=1))
    assert len(found.of("plain")) == 1
    (failure,) = found.failures
    assert failure.code == "generator_unusable"
    assert "adapter dead: dead.safetensors" in failure.message
    assert said in failure.message


def test_a_file_that_is_no_adapter_is_named(tiny_generator: Tiny, tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"no weights at all")
    adapters = [{"name": "broken", "file": "broken.safetensors"}]
    write_settings(tmp_path, generator("a", tiny_generator("wan_t2v"), adapters=adapters))
    (failure,) = made(tmp_path, benchmark(tmp_path, count=1)).failures
    assert "adapter broken: broken.safetensors cannot be read as safetensors" in failure.message
    write_settings(
        tmp_path, generator("a", tiny_generator("wan_t2v"), adapters=[{"name": "x", "file": "gone.safetensors"}])
    )
    (failure,) = made(tmp_path, benchmark(tmp_path, count=1)).failures
    assert "'gone.safetensors' is no file below the home folder, and no adapter of that name" in failure.message


def test_before_and_after_are_two_names_of_one_model_and_a_weight_is_part_of_the_second(
    tiny_generator: Tiny, tmp_path: Path
) -> None:
    folder, rows = tiny_generator("cogvideox_t2v"), benchmark(tmp_path, count=1)
    tiny_adapter(folder, tmp_path / "lora.safetensors")

    def after(weight: float, name: str = "emotion") -> dict[str, Any]:
        return generator("after", folder, adapters=[{"name": name, "file": "lora.safetensors", "weight": weight}])

    write_settings(tmp_path, generator("before", folder), after(1.0))
    first = made(tmp_path, rows)
    before, adapted = bytes_of(tmp_path, first.of("before")), bytes_of(tmp_path, first.of("after"))
    assert list(before.values()) != list(adapted.values())
    (payload,) = first.of("after").values()
    assert [(one["name"], one["weight"], len(one["sha256"])) for one in payload["adapters"]] == [("emotion", 1.0, 64)]
    write_settings(tmp_path, generator("before", folder), after(1.0, name="other"))
    assert made(tmp_path, rows).computed == 0
    write_settings(tmp_path, generator("before", folder), after(0.5))
    second = made(tmp_path, rows)
    assert second.computed == 1
    assert bytes_of(tmp_path, second.of("before")) == before
    assert bytes_of(tmp_path, second.of("after")) != adapted
