"""Scores by models, beside what transformers says when it is asked frame by frame; what is scored again."""

import logging
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from emovid_assets.core.generation.text_model import load_text_model
from emovid_assets.core.generation.video_encoder import load_video_encoder
from emovid_assets.core.model_place import ModelNotUsableError, find_model
from emovid_assets.core.video.reading import Video
from emovid_assets.core.vlm.exchange import Meter
from emovid_assets.resources.generation import scoring
from emovid_assets.resources.generation.measuring import measure
from emovid_assets.resources.project import Project
from emovid_assets_tests.generation.planted_videos import CAPTION, film, home_with, write_generated
from emovid_assets_tests.generation.tiny_scorers import (
    LIMIT,
    tiny_text_clip,
    tiny_text_siglip,
    tiny_videomae,
    tiny_vjepa2,
)
from emovid_assets_tests.resources.tiny_models import tiny_vit

pytestmark = pytest.mark.integration
LOG = logging.getLogger("test")
LABEL = 'The video is in the "fear" emotion.'


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scorers")
    for make in (tiny_text_clip, tiny_text_siglip, tiny_videomae, tiny_vjepa2, tiny_vit):
        make(folder / make.__name__)
    tiny_text_clip(folder / "other_clip", seed=1)
    return folder


def scored(home: Path, rows: list[dict[str, Any]], **options: Any) -> Any:
    """The outcome of the models, over the videos that could be measured."""
    project = Project(home_folder=str(home))
    measured = measure(project, "movie", rows, LOG).payloads
    return scoring.score(project, "movie", scoring.scorers_of(project), rows, measured, LOG, **options)


def decoded(path: Path) -> list[np.ndarray]:
    """uint8 (height, width, 3) by PyAV alone, which reads a tagged file by its tag."""
    return [frame.picture.to_ndarray(format="rgb24") for frame in Video(path).frames()]


def unit(vector: Any) -> np.ndarray:
    array = np.asarray(vector, np.float64)
    return array / np.linalg.norm(array)


def directions_by_hand(folder: Path, frames: list[np.ndarray], texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Of frames and of texts, one at a time, with nothing but transformers and torch."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    pictures = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    is_siglip = isinstance(model, transformers.SiglipModel)

    def of_frame(frame: np.ndarray) -> np.ndarray:
        output = model.vision_model(pixel_values=pictures(images=frame, return_tensors="pt")["pixel_values"])
        return unit((output.pooler_output if is_siglip else model.visual_projection(output.pooler_output))[0])

    def of_text(text: str) -> np.ndarray:
        ids = tokenizer(text)["input_ids"]
        # What is too long loses its end, and keeps the token that says so.
        ids = ids if len(ids) <= LIMIT else [*ids[: LIMIT - 1], ids[-1]]
        if is_siglip:
            mask = [1] * len(ids) + [0] * (LIMIT - len(ids))
            ids = [*ids, *[tokenizer.pad_token_id] * (LIMIT - len(ids))]
            output = model.text_model(input_ids=torch.tensor([ids]), attention_mask=torch.tensor([mask]))
            return unit(output.pooler_output[0])
        output = model.text_model(input_ids=torch.tensor([ids]))
        return unit(model.text_projection(output.pooler_output)[0])

    with torch.no_grad():
        return np.stack([of_frame(one) for one in frames]), np.stack([of_text(one) for one in texts])


@pytest.mark.parametrize("name", ["tiny_text_clip", "tiny_text_siglip"])
def test_cosines_are_the_means_over_frames_of_caption_and_label_apart(models: Path, tmp_path: Path, name: str) -> None:
    row = write_generated(tmp_path, film(0, 20))
    home_with(tmp_path, [row], text_model=str(models / name), batch_frames=8)
    found = scored(tmp_path, [row]).payloads[f"{row['video_id']}/text"]
    frames, texts = directions_by_hand(models / name, decoded(tmp_path / row["video_path"]), [CAPTION, LABEL])
    cosines = (frames @ texts.T).mean(axis=0)
    assert found["frame_count"] == 20
    assert [found["caption_cosine"], found["label_cosine"]] == pytest.approx(cosines, abs=1e-5)
    assert abs(cosines[0] - cosines[1]) > 1e-3
    assert found["first_frame_consistency"] == pytest.approx((frames[1:] @ frames[0]).mean(), abs=1e-5)


def test_the_tokens_of_the_whole_prompt_are_counted_and_a_long_caption_is_cut(models: Path, tmp_path: Path) -> None:
    long = "a dog runs over the hill and a man walks on a hill and a man laughs in the rain."
    same_beginning = "a dog runs over the hill and a man walks on a hill and rain falls on the city."
    rows = [
        write_generated(tmp_path, film(0, 12), seed=1, caption=long),
        write_generated(tmp_path, film(0, 12), seed=2, caption=same_beginning),
        write_generated(tmp_path, film(0, 12), seed=3, caption=None),
    ]
    home_with(tmp_path, rows, text_model=str(models / "tiny_text_clip"))
    payloads = scored(tmp_path, rows).payloads
    first, second, without = (payloads[f"{row['video_id']}/text"] for row in rows)
    # Two around it; 19 words and a stop; nine words, two quotation marks and a stop… of the label's sentence.
    tokenizer = transformers.AutoTokenizer.from_pretrained(models / "tiny_text_clip")
    assert first["prompt_token_count"] == len(tokenizer.tokenize(f"{long} {LABEL}")) + 2 > LIMIT
    assert first["caption_cosine"] == pytest.approx(second["caption_cosine"], abs=1e-6)
    assert without["caption_cosine"] is None
    assert without["label_cosine"] == pytest.approx(first["label_cosine"], abs=1e-6)
    assert without["prompt_token_count"] == len(tokenizer.tokenize(LABEL)) + 2


def encoded_by_hand(folder: Path, frames: list[np.ndarray]) -> Any:
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        if isinstance(model, transformers.VideoMAEModel):
            processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
            return model(processor(frames, return_tensors="pt")["pixel_values"]).last_hidden_state.mean(dim=1)[0]
        processor = transformers.AutoVideoProcessor.from_pretrained(folder)
        pixels = processor(videos=[np.stack(frames)], do_sample_frames=False, return_tensors="pt")
        return model(pixels["pixel_values_videos"]).last_hidden_state.mean(dim=1)[0]


@pytest.mark.parametrize("name", ["tiny_videomae", "tiny_vjepa2"])
def test_features_are_those_of_four_frames_in_the_middles_of_the_quarters_of_the_first_two_seconds(
    models: Path, tmp_path: Path, name: str
) -> None:
    row = write_generated(tmp_path, film(0, 48))
    home_with(tmp_path, [row], video_model=str(models / name))
    found = scored(tmp_path, [row]).payloads[f"{row['video_id']}/encoder"]
    frames = decoded(tmp_path / row["video_path"])
    # At 16 per second: 0.25, 0.75, 1.25 and 1.75 s.
    by_hand = encoded_by_hand(models / name, [frames[index] for index in (4, 12, 20, 28)])
    assert scoring.vector_of(found) == pytest.approx(by_hand.numpy(), abs=1e-4)
    assert found["frame_count"] == 4


def test_a_film_shorter_than_the_common_length_is_seen_to_its_end(models: Path, tmp_path: Path) -> None:
    row = write_generated(tmp_path, film(0, 8))
    home_with(tmp_path, [row], video_model=str(models / "tiny_videomae"))
    found = scored(tmp_path, [row]).payloads[f"{row['video_id']}/encoder"]
    frames = decoded(tmp_path / row["video_path"])
    by_hand = encoded_by_hand(models / "tiny_videomae", [frames[index] for index in (1, 3, 5, 7)])
    assert scoring.vector_of(found) == pytest.approx(by_hand.numpy(), abs=1e-4)


def both(models: Path, **other: Any) -> dict[str, Any]:
    folders = {"text_model": str(models / "tiny_text_clip"), "video_model": str(models / "tiny_videomae")}
    return folders | other


def test_a_video_is_decoded_once_for_both_models_and_each_is_asked_again_alone(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [write_generated(tmp_path, film(seed, 12), seed=seed) for seed in range(3)]
    home_with(tmp_path, rows, **both(models))
    opened = []

    class Counted(Video):
        def frames(self) -> Any:
            opened.append(self.path)
            return super().frames()

    monkeypatch.setattr(scoring, "Video", Counted)
    first = scored(tmp_path, rows)
    before = dict(first.payloads)
    assert (first.computed_count, len(opened)) == (6, 3)
    assert scored(tmp_path, rows).computed_count == 0
    home_with(tmp_path, rows, **both(models, text_model=str(models / "other_clip")))
    second = scored(tmp_path, rows)
    assert (second.computed_count, len(opened)) == (3, 6)
    for row in rows:
        name = row["video_id"]
        assert second.payloads[f"{name}/encoder"] == before[f"{name}/encoder"]
        assert second.payloads[f"{name}/text"]["label_cosine"] != before[f"{name}/text"]["label_cosine"]
    another = [*rows, write_generated(tmp_path, film(3, 12), seed=3)]
    assert scored(tmp_path, another).computed_count == 2


def test_other_common_settings_ask_the_encoder_again_and_not_the_text_model(models: Path, tmp_path: Path) -> None:
    rows = [write_generated(tmp_path, film(0, 48))]
    home_with(tmp_path, rows, **both(models))
    assert scored(tmp_path, rows).computed_count == 2
    home_with(tmp_path, rows, **both(models, common_s=1.0))
    assert scored(tmp_path, rows).computed_count == 1
    home_with(tmp_path, rows, **both(models, common_s=1.0, common_side_px=64))
    assert scored(tmp_path, rows).computed_count == 0


def test_a_video_that_cannot_be_read_is_quarantined_with_what_it_lacks_and_the_others_are_scored(
    models: Path, tmp_path: Path
) -> None:
    rows = [write_generated(tmp_path, film(seed, 12), seed=seed) for seed in range(4)]
    home_with(tmp_path, rows, **both(models))
    (tmp_path / "emovid.toml").write_text(
        (tmp_path / "emovid.toml").read_text().replace("[media]", "[media]\nmax_quarantined_share = 0.5"),
        encoding="utf-8",
    )
    measured = measure(Project(home_folder=str(tmp_path)), "movie", rows, LOG).payloads
    (tmp_path / rows[1]["video_path"]).write_bytes(b"no film at all")
    project = Project(home_folder=str(tmp_path))
    found = scoring.score(project, "movie", scoring.scorers_of(project), rows, measured, LOG)
    assert {failure.item_id for failure in found.failures} == {
        f"{rows[1]['video_id']}/{scorer}" for scorer in ("text", "encoder")
    }
    assert {failure.code for failure in found.failures} == {"not_a_video"}
    assert len(found.payloads) == 6


def test_a_video_that_a_model_refuses_does_not_keep_the_other_model_from_it(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = write_generated(tmp_path, film(0, 12))
    home_with(tmp_path, [row], **both(models))
    text = (tmp_path / "emovid.toml").read_text().replace("[media]", "[media]\nmax_quarantined_share = 1.0")
    (tmp_path / "emovid.toml").write_text(text, encoding="utf-8")

    def refuse(self: Any, prepared: Any) -> Any:
        raise ValueError("no such video")

    monkeypatch.setattr("emovid_assets.core.generation.video_encoder.VideoEncoder.encode", refuse)
    found = scored(tmp_path, [row])
    assert [(failure.item_id, failure.code) for failure in found.failures] == [
        (f"{row['video_id']}/encoder", "model_refused")
    ]
    assert list(found.payloads) == [f"{row['video_id']}/text"]


def test_of_a_long_video_the_text_model_sees_frames_at_equal_distances(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "TEXT_FRAMES_AT_MOST", 8)
    row = write_generated(tmp_path, film(0, 20))
    home_with(tmp_path, [row], text_model=str(models / "tiny_text_clip"))
    found = scored(tmp_path, [row]).payloads[f"{row['video_id']}/text"]
    frames = decoded(tmp_path / row["video_path"])[::3]
    by_hand, texts = directions_by_hand(models / "tiny_text_clip", frames, [LABEL])
    assert found["frame_count"] == 7
    assert found["label_cosine"] == pytest.approx((by_hand @ texts[0]).mean(), abs=1e-5)


def test_the_memory_that_scoring_takes_does_not_grow_with_the_number_of_videos(models: Path, tmp_path: Path) -> None:
    row = write_generated(tmp_path, film(0, 12))
    path = str(tmp_path / row["video_path"])
    place = {name: find_model(str(models / name), tmp_path) for name in ("tiny_text_clip", "tiny_videomae")}
    loaded = scoring.Models(
        load_text_model(place["tiny_text_clip"], "cpu"), load_video_encoder(place["tiny_videomae"], "cpu"), 2.0
    )

    def tasks(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
        for number in range(count):
            # One path may stand for many videos where it is spelt in many ways.
            same = {"path": path.replace("/media/", f"/media/{'./' * number}"), "is_ours": True}
            reading = {**same, "duration_s": 0.75, "frame_count": 12}
            yield f"{number}/text", {"scorer": "text", **reading, "caption": CAPTION, "label": LABEL, "prompt": LABEL}
            yield f"{number}/encoder", {"scorer": "encoder", **reading}

    def peak(count: int) -> int:
        tracemalloc.start()
        ended = 0
        for ends in scoring.score_videos(loaded, tasks(count), batch_frames=8, threads=2, meter=Meter()):
            ended += len([end for end in ends if end.payload is not None])
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert ended == 2 * count
        return found

    peak(4)
    few, many = peak(8), peak(40)
    assert many < few + (256 << 10)


@pytest.mark.parametrize(
    ("setting", "name", "message"),
    [
        ("text_model", "tiny_vit", "cannot be loaded|no features of both pictures and texts"),
        ("video_model", "tiny_vit", "does not say how many frames"),
        ("text_model", "nowhere/at/all", "generation.text_model"),
    ],
)
def test_a_model_that_is_of_no_use_is_refused_with_the_setting_that_names_it(
    models: Path, tmp_path: Path, setting: str, name: str, message: str
) -> None:
    row = write_generated(tmp_path, film(0, 12))
    place = str(models / name) if name.startswith("tiny") else f"./{name}"
    home_with(tmp_path, [row], **{setting: place})
    with pytest.raises(ModelNotUsableError, match=message):
        scored(tmp_path, [row])
