"""Embeddings by vision models that are built on the spot: the numbers are transformers' own, each clip once."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from emovid_assets.core.model_place import ModelNotUsableError, find_model
from emovid_assets.core.vision_tower import load_tower, pooled
from emovid_assets.resources import embeddings
from emovid_assets.resources.embeddings import embed, embed_clips, vector_of
from emovid_assets.resources.project import Project
from emovid_assets_tests.media.making import scenery, write_video
from emovid_assets_tests.resources.tiny_models import (
    DIMENSION,
    tiny_clip,
    tiny_language_model,
    tiny_llava,
    tiny_siglip,
    tiny_vit,
)

pytestmark = pytest.mark.integration
LOG = logging.getLogger("test")
STAMPS = [0.0, 0.2, 0.4]


def frames_of(scene: int) -> list[np.ndarray]:
    return [scenery(scene, index, 40, 60) for index in range(12)]


def sampled(scene: int) -> list[np.ndarray]:
    """The frames at STAMPS of 25 per second."""
    return [frames_of(scene)[index] for index in (0, 5, 10)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for make in (tiny_clip, tiny_siglip, tiny_vit, tiny_llava):
        make(folder / make.__name__)
    return folder


def clip_rows(home: Path, *scenes: int) -> list[dict[str, Any]]:
    rows = []
    for scene in scenes:
        path = home / f"media/{scene}.mov"
        path.parent.mkdir(exist_ok=True, parents=True)
        if not path.exists():
            write_video(path, frames_of(scene))
        content = {"sha256": f"sha-{scene}", "colour_matrix": "rgb", "is_colour_tagged": True}
        rows.append({"clip_id": f"clip-{scene}", "media_path": f"media/{scene}.mov", **content})
    return rows


def run(home: Path, model: Path, rows: list[dict[str, Any]], **options: Any) -> Any:
    project = Project(home_folder=str(home), **options)
    stamps = {row["clip_id"]: STAMPS for row in rows}
    return embed(project, "movie", find_model(str(model), home), rows, stamps, LOG)


def by_hand(model: Path, scene: int, features: Callable[[Any, Any], Any]) -> np.ndarray:
    """Frame by frame, with nothing but transformers and torch."""
    processor = transformers.AutoImageProcessor.from_pretrained(model, backend="pil")
    loaded = transformers.AutoModel.from_pretrained(model).eval()
    directions = []
    for frame in sampled(scene):
        with torch.no_grad():
            vector = features(loaded, processor(images=frame, return_tensors="pt")["pixel_values"])[0].numpy()
        directions.append(vector / np.linalg.norm(vector))
    mean = np.mean(directions, axis=0)
    return mean / np.linalg.norm(mean)


def projected(model: Any, pixels: Any) -> Any:
    """Image features as the two papers define them, written out."""
    if isinstance(model, transformers.CLIPModel):
        return model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output)
    assert isinstance(model, transformers.SiglipModel)
    return model.vision_model(pixel_values=pixels).pooler_output


@pytest.mark.parametrize(
    ("name", "features", "dimension"),
    [
        ("tiny_clip", projected, DIMENSION),
        ("tiny_siglip", projected, 32),
        ("tiny_vit", lambda model, pixels: model(pixel_values=pixels).pooler_output, 32),
        ("tiny_llava", lambda model, pixels: model.vision_tower(pixel_values=pixels).pooler_output, 32),
    ],
)
def test_an_embedding_is_the_mean_direction_of_the_frames_features(
    models: Path, tmp_path: Path, name: str, features: Callable[[Any, Any], Any], dimension: int
) -> None:
    outcome = run(tmp_path, models / name, clip_rows(tmp_path, 0, 1))
    assert outcome.computed_count == 2
    for scene in (0, 1):
        vector = vector_of(outcome.payloads[f"clip-{scene}"])
        assert (vector.dtype, vector.shape) == (np.float32, (dimension,))
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
        assert vector == pytest.approx(by_hand(models / name, scene, features), abs=1e-5)


def test_only_a_new_clip_a_changed_one_or_another_model_is_computed(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    shutil.copytree(models / "tiny_clip", model)
    rows = clip_rows(tmp_path, 0, 1)
    assert run(tmp_path, model, rows).computed_count == 2
    assert run(tmp_path, model, clip_rows(tmp_path, 0, 1, 2)).computed_count == 1
    changed = [{**rows[0], "sha256": "other bytes"}, rows[1]]
    assert run(tmp_path, model, changed).computed_count == 1
    changed[1] |= {"colour_matrix": "bt709", "is_colour_tagged": False}
    assert run(tmp_path, model, changed).computed_count == 1, "the same bytes, whose colours are read another way"
    monkeypatch.setattr(embeddings, "load_tower", lambda *_: pytest.fail("nothing to do, so no model is loaded"))
    again = run(tmp_path, model, changed)
    assert (again.computed_count, sorted(again.payloads)) == (0, ["clip-0", "clip-1"])
    monkeypatch.undo()
    tiny_clip(model, seed=1)
    assert run(tmp_path, model, changed).computed_count == 2


def test_a_clip_that_cannot_be_read_is_quarantined_alone(models: Path, tmp_path: Path) -> None:
    rows = clip_rows(tmp_path, 0, 1, 2)
    (tmp_path / "media/1.mov").write_text("no film")
    outcome = run(tmp_path, models / "tiny_clip", rows)
    assert sorted(outcome.payloads) == ["clip-0", "clip-2"]
    (failure,) = outcome.failures
    assert (failure.item_id, failure.path, failure.step) == ("clip-1", "media/1.mov", "embed")
    assert failure.message.endswith(".")
    # Not tried again by itself, but when asked.
    write_video(tmp_path / "media/1.mov", frames_of(1))
    assert run(tmp_path, models / "tiny_clip", rows).computed_count == 0
    assert run(tmp_path, models / "tiny_clip", rows, retry_quarantined=True).computed_count == 1


@pytest.mark.parametrize("batch_frames", [1, 2, 5, 100])
@pytest.mark.parametrize("threads", [1, 3])
def test_batches_and_threads_do_not_change_which_frames_belong_to_which_clip(
    models: Path, tmp_path: Path, batch_frames: int, threads: int
) -> None:
    tower = load_tower(find_model(str(models / "tiny_clip"), tmp_path), "cpu")
    tasks = [
        (row["clip_id"], {"path": str(tmp_path / row["media_path"]), "stamps_s": STAMPS[: 1 + number % 3]})
        for number, row in enumerate(clip_rows(tmp_path, *range(5)))
    ]
    ends = [end for some in embed_clips(tower, tasks, batch_frames=batch_frames, threads=threads) for end in some]
    assert [end.item_id for end in ends] == [f"clip-{scene}" for scene in range(5)]
    for number, end in enumerate(ends):
        frames = [tower.prepare(frame) for frame in sampled(number)[: 1 + number % 3]]
        assert end.payload is not None
        assert vector_of(end.payload) == pytest.approx(pooled(tower.embed(frames)), abs=1e-5)


def test_the_revision_of_a_folder_is_its_content_wherever_it_lies(models: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(models / "tiny_clip", tmp_path / "models/mine"))
    there, here = find_model(str(models / "tiny_clip"), tmp_path), find_model("models/mine", tmp_path)
    assert there.revision == here.revision
    assert (there.model_id, here.model_id) == ("tiny_clip", "mine")
    (copy / "README.md").write_text("more words")
    assert find_model("models/mine", tmp_path).revision == here.revision
    (copy / "preprocessor_config.json").write_text("{}")
    assert find_model("models/mine", tmp_path).revision != here.revision


def test_a_model_that_is_not_there_or_has_no_eyes_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "empty").mkdir()
    for name, words in (
        ("empty", "no config.json"),
        (str(tmp_path / "nowhere"), "no config.json"),
        ("somebody/no-such-model", "the hub does not give it"),
    ):
        with pytest.raises(ModelNotUsableError, match=words):
            find_model(name, tmp_path)
    blind = tiny_language_model(tmp_path / "blind")
    with pytest.raises(ModelNotUsableError, match="LlamaModel has no vision part"):
        load_tower(find_model(str(blind), tmp_path), "cpu")
    (tmp_path / "empty/config.json").write_text("{}")
    with pytest.raises(ModelNotUsableError, match="cannot be loaded by transformers"):
        load_tower(find_model("empty", tmp_path), "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens without a GPU")
def test_a_gpu_that_is_asked_for_and_not_there_is_an_error(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotUsableError, match="torch sees no GPU"):
        load_tower(find_model(str(models / "tiny_clip"), tmp_path), "cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_what_the_processor_gives(models: Path, tmp_path: Path) -> None:
    place = find_model(str(models / "tiny_clip"), tmp_path)
    found = {}
    for device in ("cpu", "cuda"):
        tower = load_tower(place, device)
        assert tower.device == device
        found[device] = tower.embed([tower.prepare(frame) for frame in sampled(0)])
    assert found["cuda"] == pytest.approx(found["cpu"], abs=1e-3)
