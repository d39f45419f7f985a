"""Running generators: what a video is, what makes one again, what happens to one that fails, and a kill half way."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from emovid_assets.core.generation import generator as generator_module
from emovid_assets.core.generation.generator import Loading, Request, load
from emovid_assets.core.generation.wanted import random_seed
from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import AdapterSettings
from emovid_assets.resources.generation import generators
from emovid_assets.resources.generation.hashes import Hashes
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.progress import listener
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.generation.homes import (
    benchmark,
    bytes_of,
    generator,
    made,
    stamps_of,
    write_settings,
)
from emovid_assets_tests.generation.tiny_generators import FRAMES, SIDE

Tiny = Callable[[str], Path]
BT709, LIMITED = 1, 1


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_video_holds_the_frames_of_the_model_at_its_rate_and_says_its_colours(
    tmp_path: Path, tiny_generator: Tiny
) -> None:
    folder, rows = tiny_generator("wan_t2v"), benchmark(tmp_path, count=1)
    write_settings(tmp_path, generator("wan", folder, fps=12.5, guidance=4.0))
    (payload,) = made(tmp_path, rows).of("wan").values()
    path = tmp_path / payload["video_path"]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.codec.canonical_name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.width, context.height, stream.average_rate) == (SIDE, SIDE, 12.5)
        tags = (context.colorspace, context.color_primaries, context.color_trc, context.color_range)
        assert tags == (BT709, BT709, BT709, LIMITED)
    model = load(Loading(ModelPlace("wan", "1", folder)))
    prompt = rows[0]["prompt"]
    frames = model.make(Request(prompt, random_seed(prompt, 0), SIDE, SIDE, FRAMES, 1, guidance=4.0))
    found = decoded(path)
    assert len(found) == FRAMES
    # The encoder loses a little; frames of other noise differ by thirty steps and more.
    assert np.abs(np.stack(found) - frames * 255).mean() < 4
    assert (payload["frame_count"], payload["duration_s"]) == (FRAMES, pytest.approx(FRAMES / 12.5))
    assert (payload["pipeline_class"], payload["dtype"]) == ("WanPipeline", "float32")
    assert "diffusers" in payload["versions"]


def test_what_comes_is_counted_where_the_family_rounds_what_is_asked(tmp_path: Path, tiny_generator: Tiny) -> None:
    write_settings(tmp_path, generator("cog", tiny_generator("cogvideox_t2v"), frames=6))
    (payload,) = made(tmp_path, benchmark(tmp_path, count=1)).of("cog").values()
    assert (payload["requested_frame_count"], payload["frame_count"]) == (6, 8)
    assert len(decoded(tmp_path / payload["video_path"])) == 8


def test_the_same_prompt_and_seed_give_the_same_bytes_in_any_company(tmp_path: Path, tiny_generator: Tiny) -> None:
    model = generator("wan", tiny_generator("wan_t2v"), seeds=[0, 1])
    alone, among = tmp_path / "alone", tmp_path / "among"
    write_settings(alone, {**model, "seeds": [1]})
    write_settings(among, model)
    one = bytes_of(alone, made(alone, benchmark(alone, count=1)).videos)
    many = bytes_of(among, made(among, benchmark(among, count=3)).videos)
    assert len({data for name, data in many.items() if name.endswith(".mp4")}) == 6
    assert one.items() <= many.items()


def test_a_seed_or_a_generator_more_makes_no_other_video_again(tmp_path: Path, tiny_generator: Tiny) -> None:
    folder, rows = tiny_generator("cogvideox_t2v"), benchmark(tmp_path)
    write_settings(tmp_path, generator("a", folder))
    first = stamps_of(tmp_path, made(tmp_path, rows).videos)
    write_settings(tmp_path, generator("a", folder, seeds=[0, 7]), generator("b", folder, steps=2))
    more = made(tmp_path, rows)
    assert more.computed == 4
    assert first.items() <= stamps_of(tmp_path, more.videos).items()
    assert made(tmp_path, rows).computed == 0


@pytest.mark.parametrize("change", [{"steps": 3}, {"fps": 8.0}, {"options": {"eta": 0.5}}])
def test_a_setting_of_a_generator_makes_its_own_videos_again_and_no_others(
    change: dict[str, Any], tmp_path: Path, tiny_generator: Tiny
) -> None:
    folder, rows = tiny_generator("cogvideox_t2v"), benchmark(tmp_path, count=1)
    write_settings(tmp_path, generator("a", folder), generator("b", folder))
    before = made(tmp_path, rows)
    write_settings(tmp_path, generator("a", folder, **change), generator("b", folder))
    after = made(tmp_path, rows)
    assert after.computed == 1
    assert stamps_of(tmp_path, after.of("b")) == stamps_of(tmp_path, before.of("b"))
    assert bytes_of(tmp_path, after.of("a")) != bytes_of(tmp_path, after.of("b"))


def test_what_changes_no_pixel_makes_nothing_again(tmp_path: Path, tiny_generator: Tiny) -> None:
    folder, rows = tiny_generator("cogvideox_t2v"), benchmark(tmp_path, count=1)
    write_settings(tmp_path, generator("a", folder))
    made(tmp_path, rows)
    write_settings(tmp_path, generator("a", folder, is_trial=False, domains=["movie"]))
    assert made(tmp_path, rows).computed == 0


def test_videos_of_a_generator_that_is_taken_out_are_there_when_it_comes_back(
    tmp_path: Path, tiny_generator: Tiny
) -> None:
    folder, rows = tiny_generator("cogvideox_t2v"), benchmark(tmp_path)
    a, b = generator("a", folder), generator("b", folder, steps=2)
    write_settings(tmp_path, a, b)
    both = made(tmp_path, rows)
    lost = next(iter(both.of("b").values()))["video_path"]
    write_settings(tmp_path, a)
    assert made(tmp_path, rows).videos.keys() == {name for name, (_, s) in both.stage.wanted.items() if s.name == "a"}
    (tmp_path / lost).unlink()
    made(tmp_path, rows)
    write_settings(tmp_path, a, b)
    again = made(tmp_path, rows)
    assert (again.computed, again.videos.keys()) == (1, both.videos.keys())


def test_videos_outlive_the_model_that_made_them(tmp_path: Path, tiny_generator: Tiny) -> None:
    import shutil

    folder, rows = tmp_path / "model", benchmark(tmp_path)
    shutil.copytree(tiny_generator("cogvideox_t2v"), folder)
    write_settings(tmp_path, generator("a", folder))
    before = made(tmp_path, rows[:1])
    shutil.rmtree(folder)
    after = made(tmp_path, rows)
    assert after.videos.keys() == before.videos.keys()
    (failure,) = after.failures
    assert failure.code == "generator_unusable"
    assert failure.message.startswith(f"generation.models \"a\": model = '{folder}': there is no model_index.json in")


def test_a_generator_that_does_not_run_takes_no_videos_from_the_others(tmp_path: Path, tiny_generator: Tiny) -> None:
    gone = [generator(name, tmp_path / "gone") for name in "bcd"]
    write_settings(tmp_path, generator("a", tiny_generator("cogvideox_t2v")), *gone)
    text = (tmp_path / "emovid.toml").read_text().replace("max_quarantined_share = 1.0", "max_quarantined_share = 0.0")
    (tmp_path / "emovid.toml").write_text(text)
    found = made(tmp_path, benchmark(tmp_path, count=1))
    assert len(found.of("a")) == 1
    assert [one.code for one in found.failures] == ["generator_unusable"] * 3


@pytest.mark.parametrize("reads", [True, False])
def test_a_path_below_the_home_is_not_asked_of_the_hub_and_a_plan_needs_no_network(
    reads: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, bool] = {}

    def absent(name: str, file: str, *, local_files_only: bool, **more: Any) -> None:
        asked[name] = local_files_only
        raise OSError("not there")

    monkeypatch.setattr("transformers.utils.hub.cached_file", absent)
    (tmp_path / "models").mkdir()
    write_settings(tmp_path, generator("here", Path("models/gone")), generator("hub", Path("someone/model")))
    models = Home(tmp_path).settings().generation.models
    adapter = AdapterSettings(name="x", file="models/gone/x.safetensors")
    store = ItemStore(tmp_path / "state.sqlite")
    hashes = Hashes(store, reads=reads)
    here, hub = generators.sources_of(Home(tmp_path), "movie", models, hashes)
    with pytest.raises(ModelNotUsableError, match="is no file below the home folder"):
        generators._adapter(Home(tmp_path), "here", adapter, hashes)
    store.close()
    assert asked == {"someone/model": not reads}
    assert "there is no model_index.json in" in str(here.fault)
    assert "the hub does not give it" in str(hub.fault)


def test_a_folder_that_lacks_a_part_is_told_by_the_part(tmp_path: Path, tiny_generator: Tiny) -> None:
    import shutil

    folder = tmp_path / "half"
    shutil.copytree(tiny_generator("cogvideox_t2v"), folder)
    shutil.rmtree(folder / "vae")
    write_settings(tmp_path, generator("a", folder))
    (failure,) = made(tmp_path, benchmark(tmp_path, count=1)).failures
    assert failure.message.startswith("half lacks vae, which its model_index.json names: fetch the folder whole.")


def test_other_weights_in_the_same_folder_make_videos_again(tmp_path: Path, tiny_generator: Tiny) -> None:
    import shutil

    from emovid_assets_tests.generation.tiny_generators import build

    folder, rows = tmp_path / "model", benchmark(tmp_path, count=1)
    shutil.copytree(tiny_generator("cogvideox_t2v"), folder)
    write_settings(tmp_path, generator("a", folder))
    before = bytes_of(tmp_path, made(tmp_path, rows).videos)
    shutil.rmtree(folder)
    build("cogvideox_t2v", folder, seed=1)
    after = made(tmp_path, rows)
    assert after.computed == 1
    assert bytes_of(tmp_path, after.videos) != before


def test_a_first_frame_is_part_of_a_video(tmp_path: Path, tiny_generator: Tiny) -> None:
    rows = benchmark(tmp_path)
    write_settings(tmp_path, generator("a", tiny_generator("cogvideox_i2v"), "i2v"))
    before = made(tmp_path, rows)
    (tmp_path / rows[0]["first_frame_path"]).write_bytes((tmp_path / rows[1]["first_frame_path"]).read_bytes())
    assert made(tmp_path, rows).computed == 1
    without = [{**rows[0], "first_frame_path": None}, rows[1]]
    left = made(tmp_path, without)
    assert len(before.videos) == 2
    assert len(left.videos) == 1
    assert left.stage.lacking == ["a: 1 clips of the benchmark have no first frame that shows anything"]


def with_weights(folder: Path, part: str, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    from safetensors.torch import load_file, save_file

    file = folder / part / "diffusion_pytorch_model.safetensors"
    save_file({name: change(value) for name, value in load_file(file).items()}, file, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda value: value * float("nan"), "not_finite", "9 of 9 frames hold values that are no numbers"),
        (torch.zeros_like, "constant", "None of 9 frames shows anything"),
    ],
)
def test_a_video_that_shows_nothing_is_a_row_and_no_file(
    change: Callable[[torch.Tensor], torch.Tensor], code: str, said: str, tmp_path: Path, tiny_generator: Tiny
) -> None:
    import shutil

    folder, rows = tmp_path / "broken", benchmark(tmp_path, count=1)
    shutil.copytree(tiny_generator("cogvideox_t2v"), folder)
    with_weights(folder, "vae", change)
    write_settings(tmp_path, generator("broken", folder), generator("whole", tiny_generator("cogvideox_t2v")))
    found = made(tmp_path, rows)
    assert [(one.code, one.message.split(". ")[0]) for one in found.failures] == [(code, said)]
    assert list((tmp_path / "media" / "generated").glob("broken/*")) == []
    assert len(found.of("whole")) == 1
    # It is the model's fault for ever: nothing is tried again by itself.
    assert made(tmp_path, rows).outcome.failures[0].attempt_count == 1


@pytest.mark.parametrize(("asked", "come"), [(5, 1), (4, 0)])
def test_fewer_than_two_frames_are_no_video(asked: int, come: int, tmp_path: Path, tiny_generator: Tiny) -> None:
    write_settings(tmp_path, generator("a", tiny_generator("hunyuan_i2v"), "i2v", frames=asked))
    (failure,) = made(tmp_path, benchmark(tmp_path, count=1)).failures
    assert failure.code == "frame_count"
    assert failure.message.startswith(f"A video has 2 frames or more, of the model came {come}. Ask for another")


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"task": "i2v"}, "generator_refused", 'takes no first frame: set task = "t2v"'),
        (
            {"options": {"guidance_scal": 2}},
            "generator_refused",
            "does not take guidance_scal; perhaps guidance_scale is meant",
        ),
        ({"options": {"num_frames": 5}}, "generator_refused", "options.num_frames is set by `frames`: take it out"),
        ({"height_px": 24}, "generator_refused", "have to be divisible by"),
        ({"offload": "model"}, "generator_unusable", 'offload = "model" moves parts of a model between GPU and CPU'),
        ({"model": "no-such-folder/"}, "generator_unusable", "no such folder below"),
    ],
)
def test_what_a_generator_does_not_take_is_said_in_a_sentence(
    change: dict[str, Any], code: str, said: str, tmp_path: Path, tiny_generator: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    write_settings(tmp_path, {**generator("a", tiny_generator("wan_t2v")), **change})
    (failure,) = made(tmp_path, benchmark(tmp_path, count=1)).failures
    assert failure.code == code
    assert said in failure.message


def test_a_pipeline_that_begins_with_a_picture_is_no_text_to_video_model(tmp_path: Path, tiny_generator: Tiny) -> None:
    write_settings(tmp_path, generator("a", tiny_generator("cogvideox_i2v")))
    (failure,) = made(tmp_path, benchmark(tmp_path, count=1)).failures
    name = tiny_generator("cogvideox_i2v").name
    said = f'{name} (CogVideoXImageToVideoPipeline) begins with a picture: set task = "i2v".'
    assert failure.message.startswith(said)


def test_without_diffusers_a_sentence_says_what_to_install(
    tmp_path: Path, tiny_generator: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator_module, "find_spec", lambda name: None if name == "diffusers" else object())
    write_settings(tmp_path, generator("a", tiny_generator("wan_t2v")))
    (failure,) = made(tmp_path, benchmark(tmp_path, count=1)).failures
    assert failure.message.startswith("To run generators needs diffusers: pip install 'emovid-assets[generation]'.")


def test_where_memory_runs_out_that_generator_ends_and_the_others_go_on(
    tmp_path: Path, tiny_generator: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    make = generator_module.Generator.make

    def full(self: Any, request: Request, told: Any = None) -> np.ndarray:
        asked.append(request.steps)
        if request.steps == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return make(self, request, told)

    monkeypatch.setattr(generator_module.Generator, "make", full)
    folder, rows = tiny_generator("cogvideox_t2v"), benchmark(tmp_path)
    write_settings(tmp_path, generator("big", folder, steps=2), generator("small", folder))
    found = made(tmp_path, rows)
    assert asked.count(2) == 1
    assert len(found.of("small")) == 2
    assert {one.code for one in found.failures} == {"generator_unusable"}
    assert 'offload = "model" or "sequential"; tiles = true' in found.failures[0].message
    # Memory may be there the next time.
    monkeypatch.setattr(generator_module.Generator, "make", make)
    assert made(tmp_path, rows).computed == 2


def test_each_step_of_a_video_and_each_video_is_told_with_an_estimate(
    tmp_path: Path, tiny_generator: Tiny, caplog: pytest.LogCaptureFixture
) -> None:
    write_settings(tmp_path, generator("wan", tiny_generator("wan_t2v"), steps=3, frames=6))
    told: list[tuple[str, int, int]] = []
    token = listener.set(lambda *one: told.append(one))
    try:
        with caplog.at_level(logging.INFO):
            made(tmp_path, benchmark(tmp_path, count=2))
    finally:
        listener.reset(token)
    assert [one for one in told if "steps" in one[0]] == [("wan [movie] steps", step, 3) for step in (1, 2, 3)] * 2
    assert [one for one in told if "steps" not in one[0]] == [("generate [movie]", done, 2) for done in (0, 1, 2)]
    lines = [record.getMessage() for record in caplog.records]
    assert "wan: WanPipeline makes 5 frames where 6 are asked for; 9 come as asked" in lines
    counted = [line for line in lines if line.startswith("wan [movie]: ")]
    assert [line.partition(" videos")[0] for line in counted] == ["wan [movie]: 1 of 2", "wan [movie]: 2 of 2"]
    assert counted[1].endswith("all that is left takes about 0 s")


@pytest.mark.integration
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(tmp_path: Path, tiny_generator: Tiny) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    model = generator("wan", tiny_generator("wan_t2v"), steps=2)
    for home in (whole, killed):
        write_settings(home, model)

    assert made(whole, benchmark(whole, count=4)).computed == 4
    program = "emovid_assets_tests.generation.run_generators"
    command = [sys.executable, "-m", program, str(killed), "4", str(killed / "log"), "0.5"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (killed / "log").exists() or len((killed / "log").read_text().splitlines()) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    # The third video is at one of its two steps.
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert made(killed, benchmark(killed, count=4)).computed == 2
    films = {
        home.name: {path.name: path.read_bytes() for path in (home / "media" / "generated").rglob("*.*")}
        for home in (whole, killed)
    }
    assert len(films["whole"]) == 8
    assert films["killed"] == films["whole"]
