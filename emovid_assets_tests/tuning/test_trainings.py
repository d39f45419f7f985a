"""Adapters that are trained here: they learn, outlive a kill, change what a generator makes, and say what they are."""

import hashlib
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors.torch import load_file

from emovid_assets.core.generation.adapters import Adapter, add_adapters
from emovid_assets.core.tuning import loop, lora, wan
from emovid_assets.core.tuning.adapter_files import as_one, said_in
from emovid_assets.core.tuning.flow import Flow, random_numbers
from emovid_assets.core.tuning.recipe import Recipe
from emovid_assets.home.folders import Home
from emovid_assets.resources.generation.generators import LORA_FILE, sources_of
from emovid_assets.resources.generation.hashes import Hashes
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.tuning.adapters import adapters_of, left
from emovid_assets.resources.tuning.trainings import COMFYUI_FILE
from emovid_assets.resources.workplace import PlainWorkplace
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.generation.homes import generator
from emovid_assets_tests.generation.test_tiny_generators import loaded
from emovid_assets_tests.generation.test_tiny_generators import made as frames_of
from emovid_assets_tests.tuning.drawn_clips import adapter, plant_clips, record_of, write_settings

LOG = logging.getLogger("emovid.tests")
TASKS = ("t2v", "i2v")
Tiny = Callable[[str], Path]


def trained(home: Path) -> tuple[list[Path], list[str], int]:
    """(folders of the adapters of the settings, what is wrong with others, steps that were trained)."""
    found, missing, steps = adapters_of(PlainWorkplace(str(home)), LOG)
    return [one.trained.folder for one in found], missing, steps


@pytest.fixture(scope="module", params=TASKS)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory, tiny_generator: Tiny) -> dict[str, Path]:
    """Of each task, with an adapter that was trained in one go."""
    made = {task: tmp_path_factory.mktemp(task) for task in TASKS}
    for task, home in made.items():
        plant_clips(home)
        write_settings(home, adapter("emotion", tiny_generator(f"wan_{task}"), task), more="save_every = 3")
        trained(home)
    return made


@pytest.fixture(scope="module")
def home(homes: dict[str, Path], task: str) -> Path:
    return homes[task]


@pytest.fixture(scope="module")
def folder(home: Path) -> Path:
    (found,), _, steps = trained(home)
    # What is there is found again.
    assert steps == 0
    return found


def test_the_loss_on_fixed_noises_falls_and_without_training_it_stays(
    home: Path, folder: Path, task: str, tmp_path: Path
) -> None:
    record = record_of(folder)
    assert record["loss_after"] < 0.9 * record["loss_before"]
    assert record["loss_before"] == record["evaluations"][0]["loss"]
    control = copy_of(home, tmp_path, learning_rate=1e-12)
    (untrained,), _, _ = trained(control)
    losses = [one["loss"] for one in record_of(untrained)["evaluations"]]
    assert losses[0] == record["loss_before"]
    assert np.ptp(losses) < 1e-6


def copy_of(home: Path, target: Path, **changed: Any) -> Path:
    """The clips of a home and the adapter's settings, some of them changed; nothing is trained."""
    for name in ("warehouse", "media", "samples"):
        shutil.copytree(home / name, target / name)
    lines = (home / "emovid.toml").read_text().splitlines()
    kept = [line for line in lines if line.partition(" = ")[0] not in changed]
    (target / "emovid.toml").write_text("\n".join([*kept, *(f"{name} = {value}" for name, value in changed.items())]))
    return target


@pytest.fixture(scope="module")
def killed(homes: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same homes, whose trainings a SIGKILL has ended after step 7; the last file to go on from is of step 6."""
    made = {task: copy_of(home, tmp_path_factory.mktemp(f"killed-{task}")) for task, home in homes.items()}
    assert run_training("killed", "7", *made.values()) == 0
    return made


def run_training(*arguments: object) -> int:
    """What the program `run_training` exits with."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "emovid_assets_tests.tuning.run_training", *map(str, arguments)]
    return subprocess.run(command, env=environment, timeout=300, check=False).returncode


@pytest.mark.integration
def test_a_training_that_is_killed_goes_on_to_the_same_bytes(folder: Path, task: str, killed: dict[str, Path]) -> None:
    home = killed[task]
    assert not (home / "models" / "adapters" / folder.name).exists()
    total = record_of(folder)["step_count"]
    assert left(PlainWorkplace(str(home))).steps == total - 6
    (again,), _, steps = trained(home)
    assert (again.name, steps) == (folder.name, total - 6)
    for name in (LORA_FILE, COMFYUI_FILE):
        assert hash_of(again / name) == hash_of(folder / name)
    assert record_of(again) == record_of(folder)
    assert not list((home / "models" / "adapters").glob(".*"))


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("file", [LORA_FILE, COMFYUI_FILE])
def test_both_files_change_what_the_generator_makes_and_in_the_same_way(
    file: str, home: Path, folder: Path, task: str, tiny_generator: Tiny
) -> None:
    name = f"wan_{task}"
    pipeline = loaded(tiny_generator(name))
    before = frames_of(pipeline, name)
    add_adapters(pipeline, [Adapter("emotion", folder / file, 1.0, "")])
    after = frames_of(pipeline, name)
    assert np.abs(after - before).max() > 1e-3
    by_hand = loaded(tiny_generator(name))
    merge(by_hand.transformer, (load_file(folder / LORA_FILE), 1.0))
    assert np.abs(after - frames_of(by_hand, name)).max() < 1e-4


def merge(transformer: Any, *parts: tuple[Any, float]) -> None:
    """W + Σ weight · B A in the place of each W, added up in 64 bits."""
    layers = dict(transformer.named_modules())
    with torch.no_grad():
        for state, weight in parts:
            for key in (key for key in state if ".lora_A." in key):
                layer = layers[key.removeprefix("transformer.").partition(".lora_A")[0]]
                change = weight * state[key.replace("lora_A", "lora_B")].double() @ state[key].double()
                layer.weight.copy_((layer.weight.double() + change).to(layer.weight))


def test_two_adapters_with_weights_are_the_sum_of_their_products_to_a_millionth(
    home: Path, folder: Path, task: str, tiny_generator: Tiny, tmp_path: Path
) -> None:
    from safetensors.torch import save_file

    first = load_file(folder / LORA_FILE)
    numbers = torch.Generator().manual_seed(3)
    second = {name: torch.randn(value.shape, generator=numbers) * 0.1 for name, value in first.items()}
    save_file(second, tmp_path / "second.safetensors")
    both = [Adapter("a", folder / LORA_FILE, 0.8, ""), Adapter("b", tmp_path / "second.safetensors", -0.6, "")]
    pipeline = loaded(tiny_generator(f"wan_{task}"))
    plain = loaded(tiny_generator(f"wan_{task}"))
    add_adapters(pipeline, both)
    merge(plain.transformer.double(), (first, 0.8), (second, -0.6))
    # In 32 bits rounding alone makes 1e-6 of it: what is asked is whether the sums are the same.
    given = inputs_of(plain.transformer)
    with torch.no_grad():
        adapted = pipeline.transformer.double()(**given, return_dict=False)[0]
        by_hand = plain.transformer(**given, return_dict=False)[0]
    assert float((adapted - by_hand).abs().max()) < 1e-6
    single = loaded(tiny_generator(f"wan_{task}"))
    save_file(as_one([(first, 0.8), (second, -0.6)]), tmp_path / "both.safetensors")
    add_adapters(single, [Adapter("both", tmp_path / "both.safetensors", 1.0, "")])
    with torch.no_grad():
        assert float((single.transformer.double()(**given, return_dict=False)[0] - by_hand).abs().max()) < 1e-6
    # The weights themselves, in 32 bits as they are loaded.
    fused, expected = loaded(tiny_generator(f"wan_{task}")), loaded(tiny_generator(f"wan_{task}"))
    add_adapters(fused, both)
    fused.fuse_lora(adapter_names=["adapter_0", "adapter_1"])
    merge(expected.transformer, (first, 0.8), (second, -0.6))
    weights = dict(expected.transformer.named_parameters())
    found = {name.replace(".base_layer.", "."): value for name, value in fused.transformer.named_parameters()}
    assert max(float((found[name] - value).detach().abs().max()) for name, value in weights.items()) < 1e-6


def inputs_of(transformer: Any) -> dict[str, Any]:
    numbers, config = torch.Generator().manual_seed(1), transformer.config

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=numbers, dtype=torch.float64)

    image = {} if config.image_dim is None else {"encoder_hidden_states_image": drawn(1, 5, config.image_dim)}
    return {
        "hidden_states": drawn(1, config.in_channels, 2, 4, 4),
        "timestep": torch.tensor([500.0], dtype=torch.float64),
        "encoder_hidden_states": drawn(1, 24, config.text_dim),
        **image,
    }


def test_an_adapter_says_in_its_file_what_it_is(home: Path, folder: Path, task: str) -> None:
    record = record_of(folder)
    for name in (LORA_FILE, COMFYUI_FILE):
        said = said_in(folder / name)
        assert said["emovid.base_model"] == record["config"]["base_model"]
        assert said["emovid.base_revision"] == record["config"]["base_revision"]
        assert said["emovid.data_sha256"] == record["data_sha256"]
        assert said["emovid.data_licence"] == "CC BY 4.0 (5); no licence stated (1)"
        assert (said["emovid.task"], said["emovid.rank"]) == (task, "4")
    assert record["sha256"] == hash_of(folder / LORA_FILE) == hash_of(folder.parent / "emotion.safetensors")
    names = {name.rpartition(".lora_")[0] for name in load_file(folder / COMFYUI_FILE)}
    assert names == {
        f"diffusion_model.blocks.{block}.{layer}"
        for block in (0, 1)
        for layer in (
            *(f"{kind}_attn.{part}" for kind in ("self", "cross") for part in "qkvo"),
            *("ffn.0", "ffn.2"),
        )
    }


def test_a_generator_takes_an_adapter_by_the_name_that_it_was_trained_under(
    home: Path, folder: Path, task: str, tiny_generator: Tiny
) -> None:
    (settings,) = Home(home).settings().tuning.adapters
    model = generator("tuned", Path(settings.model), task, adapters=[{"name": "emotion", "file": "emotion"}])
    text = (home / "emovid.toml").read_text()
    write_settings(home, generators=[model])
    # A folder of its name is no adapter.
    (home / "emotion").mkdir()
    models = Home(home).settings().generation.models
    (home / "emovid.toml").write_text(text)
    store = ItemStore(home / "state.sqlite")
    (source,) = sources_of(Home(home), "movie", models, Hashes(store, reads=True))
    store.close()
    assert source.fault is None
    assert [one.sha256 for one in source.adapters] == [record_of(folder)["sha256"]]


def test_too_few_clips_and_models_that_are_no_wan_are_told_and_stop_no_other(
    tmp_path: Path, tiny_generator: Tiny
) -> None:
    plant_clips(tmp_path)
    wan, other = tiny_generator("wan_t2v"), tiny_generator("cogvideox_t2v")
    one = {"epochs": 1, "evaluations_per_epoch": 1}
    write_settings(
        tmp_path,
        adapter("few", wan, min_clips=7),
        adapter("cog", other),
        adapter("other-task", wan, "i2v"),
        adapter("experts", tiny_generator("wan22_i2v"), "i2v"),
        adapter("eight-bits", wan, optimiser="adamw8bit"),
        adapter("gone", tmp_path / "gone"),
        adapter("works", wan, **one),
    )
    folders, missing, _ = trained(tmp_path)
    assert [folder.name.rpartition("-")[0] for folder in folders] == ["works"]
    assert missing[0] == (
        "few has 6 clips of 3 sources to learn from, and takes at least 7 (min_clips) of two sources, of which one is "
        "held out: add clips to the training split, or set a lower min_clips."
    )
    assert "is a CogVideoXPipeline, and adapters for t2v are trained for WanPipeline of Wan 2.1" in missing[1]
    assert "is a WanPipeline, and adapters for i2v are trained for WanImageToVideoPipeline" in missing[2]
    assert "is a Wan 2.2, which has two experts" in missing[3]
    assert [said.partition(": ")[0] for said in missing[1:5]] == ["cog", "other-task", "experts", "eight-bits"]
    assert missing[4] == 'eight-bits: optimiser = "adamw8bit" runs on a GPU, and none is used here: take "adamw"'
    assert 'tuning.adapters "gone": model = \'' in missing[5]


def test_a_clip_that_cannot_be_read_is_left_out_and_named(tmp_path: Path, tiny_generator: Tiny) -> None:
    rows = plant_clips(tmp_path)
    (tmp_path / "media" / "clips" / "3.mp4").write_bytes(b"no film")
    write_settings(tmp_path, adapter("emotion", tiny_generator("wan_t2v"), epochs=1))
    (folder,), _, _ = trained(tmp_path)
    record = record_of(folder)
    assert list(record["unreadable_clips"]) == [rows[3]["clip_id"]]
    assert len(record["training_clips"]) + len(record["held_out_clips"]) == 5


def test_where_nothing_is_gained_there_is_a_record_and_no_adapter(
    tmp_path: Path, tiny_generator: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_clips(tmp_path)
    worse = iter(range(1, 100))
    monkeypatch.setattr(loop.Tuning, "_held_out_loss", lambda self: float(next(worse)))
    write_settings(tmp_path, adapter("emotion", tiny_generator("wan_t2v"), epochs=1))
    stopped = {
        name: tmp_path / "models" / "adapters" / f".{name}-{'0' * 16}.training" for name in ("emotion", "emotion-2")
    }
    for left_behind in stopped.values():
        left_behind.mkdir(parents=True)
    (folder,), missing, _ = trained(tmp_path)
    # What was stopped of other settings is of no use; that of another adapter is.
    assert [name for name, one in stopped.items() if one.exists()] == ["emotion-2"]
    record = record_of(folder)
    assert (record["best_step"], record["loss_before"], record["loss_after"], missing) == (0, 1.0, 1.0, [])
    assert sorted(path.name for path in folder.iterdir()) == ["training.json"]
    assert not (folder.parent / "emotion.safetensors").exists()


def test_files_that_have_gone_come_back_and_what_is_not_ours_stays(tmp_path: Path, tiny_generator: Tiny) -> None:
    plant_clips(tmp_path)
    wan = tiny_generator("wan_t2v")
    write_settings(tmp_path, adapter("emotion", wan), adapter("mine", wan, epochs=1))
    adapters = tmp_path / "models" / "adapters"
    adapters.mkdir(parents=True)
    (adapters / "mine.safetensors").write_bytes(safetensors.torch.save({"mine": torch.ones(1)}))
    mine = (adapters / "mine.safetensors").read_bytes()
    (folder,), (said,), _ = trained(tmp_path)
    assert said == (
        f"mine: {adapters / 'mine.safetensors'} was not trained here and would be replaced: give it, or the adapter in "
        "[[tuning.adapters]], another name"
    )
    assert (adapters / "mine.safetensors").read_bytes() == mine
    write_settings(tmp_path, adapter("emotion", wan))
    project, files = PlainWorkplace(str(tmp_path)), (folder / LORA_FILE, adapters / "emotion.safetensors")
    whole = files[0].read_bytes()
    assert left(project).steps == 0
    for file in files:
        file.unlink()
        assert left(project).steps == 1
        assert trained(tmp_path) == ([folder], [], 0)
        file.write_bytes(whole[:-9])
        assert trained(tmp_path) == ([folder], [], 0)
        assert [one.read_bytes() for one in files] == [whole, whole]
    for file in files:
        file.write_bytes(whole[:-9])
    told = f"put it back, or remove {folder}, and it is trained again"
    assert trained(tmp_path) == ([], [f"emotion: {LORA_FILE} is gone or not what was trained: {told}"], 0)
    (folder / "training.json").write_text("{")
    _, (said,), _ = trained(tmp_path)
    assert said.startswith("emotion: training.json cannot be read (")
    assert said.endswith(told)


def test_no_room_on_the_disk_or_in_memory_is_told_and_stops_no_other(tmp_path: Path, tiny_generator: Tiny) -> None:
    plant_clips(tmp_path)
    wan = tiny_generator("wan_t2v")
    write_settings(tmp_path, adapter("huge", wan, rank=10**12), adapter("works", wan, epochs=1))
    folders, missing, _ = trained(tmp_path)
    assert [folder.name.rpartition("-")[0] for folder in folders] == ["works"]
    assert missing == [
        "huge: out of memory: take a smaller rank, fewer frames, smaller width_px and height_px, or fewer batch_clips"
    ]
    shutil.rmtree(tmp_path / "models")
    (tmp_path / "models").write_text("a file where the folder was")
    folders, missing, _ = trained(tmp_path)
    assert folders == []
    assert missing[1].startswith("works: [Errno")
    assert missing[1].endswith(": check free space and permissions, and build again")


def test_samples_are_kept_up_to_the_limit_and_make_no_difference(tmp_path: Path, tiny_generator: Tiny) -> None:
    plant_clips(tmp_path)
    one = adapter("emotion", tiny_generator("wan_t2v"), epochs=1, evaluations_per_epoch=1)
    write_settings(tmp_path, one)
    (folder,), _, _ = trained(tmp_path)
    kept, files = record_of(folder), list((tmp_path / "samples").iterdir())
    assert len(files) == 6
    limit = 2.5 * files[0].stat().st_size / 1e9
    for name in ("models", "samples"):
        shutil.rmtree(tmp_path / name)
    write_settings(tmp_path, one, more=f"cache_gb = {limit:.9f}")
    (folder,), _, _ = trained(tmp_path)
    assert len(list((tmp_path / "samples").iterdir())) == 2
    assert record_of(folder) == kept


@pytest.mark.integration
def test_two_processes_train_the_adapter_that_one_does(tmp_path: Path, tiny_generator: Tiny) -> None:
    single, both = tmp_path / "single", tmp_path / "both"
    pair = adapter("pair", tiny_generator("wan_t2v"), batch_clips=2, epochs=2, evaluations_per_epoch=1)
    alone = adapter("alone", tiny_generator("wan_t2v"), batch_clips=1)
    for home, adapters in ((single, (pair,)), (both, (pair, alone))):
        plant_clips(home)
        write_settings(home, *adapters)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert run_training("together", port, both) == 0
    said = [(both / f"{rank}.txt").read_text() for rank in range(2)]
    told = "alone: 2 processes share the clips of a step, of which there are 1: set batch_clips to a multiple"
    # One of the two adapters was not trained, in either.
    assert [(told in one, one.splitlines()[-1]) for one in said] == [(True, "1")] * 2
    (expected,), _, _ = trained(single)
    found = both / "models" / "adapters" / expected.name
    # Samples that are shown together are added up in another order than those that are shown one by one.
    assert record_of(found)["losses"] == pytest.approx(record_of(expected)["losses"], rel=1e-4)
    values, ours = load_file(found / LORA_FILE), load_file(expected / LORA_FILE)
    assert max(float((values[name] - ours[name]).abs().max()) for name in ours) < 1e-3


def test_a_generator_in_sixteen_bits_is_taught_by_an_adapter_in_thirty_two(
    tmp_path: Path, tiny_generator: Tiny
) -> None:
    plant_clips(tmp_path)
    write_settings(tmp_path, adapter("half", tiny_generator("wan_i2v"), "i2v", dtype="bfloat16"))
    (folder,), missing, _ = trained(tmp_path)
    record = record_of(folder)
    assert (missing, record["dtype"]) == ([], "bfloat16")
    assert record["loss_after"] < 0.9 * record["loss_before"]
    assert {value.dtype for value in load_file(folder / LORA_FILE).values()} == {torch.float32}


def test_activations_that_are_not_kept_change_no_gradient(tiny_generator: Tiny) -> None:
    gradients = []
    for is_kept in (True, False):
        transformer = loaded(tiny_generator("wan_t2v")).transformer
        if not is_kept:
            transformer.enable_gradient_checkpointing()
        learning = lora.attach(transformer, Recipe(rank=4))
        numbers = random_numbers("sample")
        latents = torch.randn(1, 16, 2, 4, 4, generator=numbers)
        sample = {"latents": latents, "text": torch.randn(1, 24, 32, generator=numbers)}
        flow = Flow()
        flow.losses(wan.velocity_of(transformer), [flow.drawn(sample, 1)]).sum().backward()
        gradients.append({name: one.grad for name, one in learning.items()})
    kept, again = gradients
    assert any(bool(one.any()) for one in kept.values())
    assert all(torch.equal(kept[name], again[name]) for name in kept)
