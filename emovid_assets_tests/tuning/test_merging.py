"""Several adapters as one file: the sum is that by hand, whatever names the files use."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from emovid_assets.cli.app import app
from emovid_assets.core.tuning.adapter_files import for_comfyui

LAYERS = ("blocks.0.attn1.to_q", "blocks.1.attn2.to_out.0", "blocks.1.ffn.net.0.proj")


def adapter(rank: int, seed: int) -> dict[str, torch.Tensor]:
    """By the names of diffusers, without a prefix; layers of 6 inputs and 5 outputs."""
    numbers = torch.Generator().manual_seed(seed)
    shapes = {"lora_A": (rank, 6), "lora_B": (5, rank)}
    return {
        f"{layer}.{half}.weight": torch.randn(shape, generator=numbers)
        for layer in LAYERS
        for half, shape in shapes.items()
    }


def changes(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """B A of each layer, by the name of its half less the half."""
    return {
        name.replace(".lora_B.weight", ""): value.double() @ tensors[name.replace("lora_B", "lora_A")].double()
        for name, value in tensors.items()
        if ".lora_B." in name
    }


def of_diffsynth(values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix("diffusion_model.").replace(".weight", ".default.weight"): value
        for name, value in for_comfyui(values).items()
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One adapter under its name, one as ComfyUI has it, one as DiffSynth-Studio saves it."""
    home = tmp_path / "home"
    (home / "models" / "adapters").mkdir(parents=True)
    (home / "library").mkdir()
    header = {"emovid.base_model": "wan", "emovid.data_licence": "CC0-1.0 (3)"}
    trained = {f"transformer.{name}": value for name, value in adapter(4, 1).items()}
    save_file(trained, home / "models" / "adapters" / "emotion.safetensors", header)
    save_file(for_comfyui(adapter(2, 2)), home / "style.safetensors")
    save_file(of_diffsynth(adapter(3, 3)), tmp_path / "character.safetensors", {"emovid.base_model": "wan"})
    monkeypatch.setenv("EMOVID_HOME", str(home))
    return home


def emovid(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["train", "merge", *map(str, arguments)])
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize(("naming", "prefix"), [("diffusers", "transformer."), ("comfyui", "diffusion_model.")])
def test_each_layer_changes_by_the_weighted_sum_whatever_the_names_are(
    home: Path, tmp_path: Path, naming: str, prefix: str
) -> None:
    target = tmp_path / "one.safetensors"
    parts = ["emotion", "style.safetensors=0.5", f"{tmp_path / 'character.safetensors'}=-0.25"]
    assert emovid(*parts, "-o", target, "--for", naming)[0] == 0
    merged = load_file(target)
    assert all(name.startswith(prefix) for name in merged)
    # The layers under the names that the file would have alone.
    single = adapter(4, 1)
    names = dict(zip(changes(for_comfyui(single) if naming == "comfyui" else single), LAYERS, strict=True))
    found = {names[name.removeprefix("transformer.")]: value for name, value in changes(merged).items()}
    summed = [(changes(adapter(rank, seed)), weight) for rank, seed, weight in ((4, 1, 1), (2, 2, 0.5), (3, 3, -0.25))]
    for layer in LAYERS:
        expected = sum(weight * change[layer] for change, weight in summed)
        assert float((found[layer] - expected).abs().max()) < 1e-6


def test_the_file_says_what_it_was_made_of_and_what_is_not_known(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "one.safetensors"
    assert emovid("emotion=2", "style.safetensors", "-o", target) == (0, f"{target}: 2 adapters, 3 layers")
    with safe_open(target, framework="pt") as file:
        said = file.metadata()
    assert [(one["adapter"], one["weight"]) for one in json.loads(said["emovid.merged"])] == [
        ("emotion.safetensors", 2.0),
        ("style.safetensors", 1.0),
    ]
    assert said["emovid.base_model"] == "wan"
    assert said["emovid.data_licence"] == "CC0-1.0 (3) + not stated"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sadness"], "'sadness' is no adapter of"),
        (["emotion=half"], "what stands behind = is a number, such as 0.5"),
        (["emotion", "--for", "kohya"], "--for is diffusers or comfyui, not 'kohya'"),
        (["emotion", "text.safetensors"], "cannot be read as safetensors"),
        (["emotion", "of_another.safetensors"], "trained for different models: hunyuan, wan"),
        (["unet.safetensors"], "lora_unet_blocks_0.lora_down.weight is the name of no layer of Wan"),
        (
            ["emotion", "wide.safetensors"],
            "lora_A.weight is 6 wide in one and 7 in another: take adapters of one model",
        ),
        (["emotion", "half.safetensors"], "blocks.0.attn1.to_q has no two halves that fit each other"),
        (["empty.safetensors"], "it holds no layer"),
        (["emotion=0", "style.safetensors=0"], "with a weight of 0 for all of them nothing would be left"),
        (["emotion=1e39"], "would hold what is no number: take adapters of one model, and smaller weights"),
    ],
)
def test_what_cannot_be_merged_is_told_and_nothing_is_written(
    home: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (home / "text.safetensors").write_text("no tensors", encoding="utf-8")
    save_file(adapter(2, 4), home / "of_another.safetensors", {"emovid.base_model": "hunyuan"})
    save_file({"lora_unet_blocks_0.lora_down.weight": torch.ones(1)}, home / "unet.safetensors")
    wide = {name: torch.ones(2, 7) if ".lora_A." in name else value for name, value in adapter(2, 4).items()}
    save_file(wide, home / "wide.safetensors")
    save_file(dict(list(adapter(2, 4).items())[1:]), home / "half.safetensors")
    save_file({}, home / "empty.safetensors")
    code, output = emovid(*arguments, "-o", tmp_path / "one.safetensors")
    assert code == 1
    assert said in output
    assert not (tmp_path / "one.safetensors").exists()


def test_a_file_that_is_there_stays(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "one.safetensors"
    target.write_text("mine", encoding="utf-8")
    code, output = emovid("emotion", "-o", target)
    assert (code, target.read_text(encoding="utf-8")) == (1, "mine")
    assert "is there already: give another name with -o" in output
