"""DiffSynth-Studio itself reads an export: its dataset class, in an environment of its own (`make diffsynth`)."""

import json
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from emovid_assets.core.generation.adapters import Adapter, add_adapters
from emovid_assets.core.stand_ins import declare_torchvision_operators
from emovid_assets.core.tuning.families import FAMILIES, Size
from emovid_assets.core.tuning.trainers import TRAINERS
from emovid_assets.resources.tuning.choosing import Wish
from emovid_assets.resources.tuning.export import export
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.tuning.homes import CLIPS, number_of, planted_home
from emovid_assets_tests.tuning.reading import Seen, diffsynth, options_of

PYTHON = ROOT / ".venv-diffsynth" / "bin" / "python"
REPEATS = {"movie": 1, "animation": 2, "sticker": 3}

declare_torchvision_operators()
# After the operators are declared: diffusers imports torchvision where it is installed.
from diffusers import UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel  # noqa: E402
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers  # noqa: E402

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not PYTHON.exists(), reason="DiffSynth-Studio has no environment here: run make diffsynth"),
]


@pytest.fixture(scope="module", params=["buckets", "one size"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = planted_home(tmp_path_factory.mktemp("home"), repeats=REPEATS)
    buckets = (Size(128, 64), Size(64, 64), Size(64, 128))
    wish = Wish(
        TRAINERS["diffsynth"],
        replace(FAMILIES["wan"], frames=33),
        buckets if request.param == "buckets" else buckets[1:2],
        33,
    )
    return export(home, wish, tmp_path_factory.mktemp("exports") / "diffsynth").exported.folder


def run(script: str, folder: Path, result: Path) -> None:
    """A script in the environment of DiffSynth-Studio, with the options of the export's launching script."""
    options = result.with_suffix(".json")
    options.write_text(json.dumps(options_of((folder / "launch.sh").read_text(encoding="utf-8"))), encoding="utf-8")
    command = [str(PYTHON), str(Path(__file__).with_name(script)), str(options), str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stderr


def read_by_diffsynth(folder: Path, scratch: Path) -> list[Seen]:
    result = scratch / "read.npz"
    run("diffsynth_reads.py", folder, result)
    read = np.load(result)
    found = []
    for index, prompt in enumerate(read["prompts"]):
        frames = read[f"frames-{index}"]
        found.append(Seen("", str(prompt), frames, (frames.shape[2], frames.shape[1])))
    return found


def test_it_sees_the_frames_and_captions_that_its_rules_say(folder: Path, tmp_path: Path) -> None:
    by_itself = read_by_diffsynth(folder, tmp_path)
    by_rule = list(diffsynth(folder))
    by_id = {clip.clip_id: clip for clip in CLIPS}
    assert len(by_itself) == len(by_rule) == sum(REPEATS[by_id[seen.name].domain] for seen in set_of(by_rule))
    for itself, rule in zip(by_itself, by_rule, strict=True):
        clip = by_id[rule.name]
        assert itself.caption == rule.caption == " ".join(clip.prompt.split())
        assert itself.size == rule.size
        numbers = [number_of(frame, clip) for frame in itself.frames]
        assert numbers == clip.shown(16, len(numbers))
        assert np.abs(itself.frames.astype(int) - rule.frames).mean() < 1


def test_rows_are_repeated_as_often_as_the_settings_say(folder: Path, tmp_path: Path) -> None:
    seen = Counter(one.name for one in diffsynth(folder))
    assert seen == {
        clip.clip_id: REPEATS[clip.domain]
        for clip in CLIPS
        if clip.split == "train" and not clip.clip_id.startswith("animation-0000000000000006")
    }


def set_of(seen: list[Seen]) -> list[Seen]:
    return list({one.name: one for one in seen}.values())


def test_it_trains_on_two_clips_and_its_adapter_does_here_what_it_does_there(tmp_path: Path) -> None:
    home = planted_home(tmp_path / "home", [CLIPS[0], CLIPS[4]])
    wish = Wish(TRAINERS["diffsynth"], replace(FAMILIES["wan"], frames=9), (Size(32, 32),), 9)
    folder = export(home, wish, tmp_path / "export").exported.folder
    trained = tmp_path / "trained"
    run("diffsynth_trains.py", folder, trained)
    said = load_file(trained / "reference.safetensors")

    def output(transformer: WanTransformer3DModel) -> torch.Tensor:
        with torch.no_grad():
            found = transformer(
                hidden_states=said["x"], timestep=said["t"], encoder_hidden_states=said["text"], return_dict=False
            )
        return found[0]

    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=16,
        out_channels=16,
        text_dim=32,
        freq_dim=256,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )
    transformer.load_state_dict(convert_wan_transformer_to_diffusers(load_file(trained / "dit.safetensors")))
    pipeline = WanPipeline(
        tokenizer=None,
        text_encoder=None,
        vae=None,
        transformer=transformer.eval(),
        scheduler=UniPCMultistepScheduler(),
    )
    torch.testing.assert_close(output(pipeline.transformer), said["base"], atol=1e-5, rtol=0)
    add_adapters(pipeline, [Adapter("emotion", trained / "epoch-2.safetensors", 1.0, "")])
    torch.testing.assert_close(output(pipeline.transformer), said["tuned"], atol=1e-5, rtol=0)
    assert float((said["tuned"] - said["base"]).abs().max()) > 1e-3
