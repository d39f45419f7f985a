"""A release as a dataset of FiftyOne: the documents, and what FiftyOne itself reads of them."""

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.release.fiftyone import metadata_document, samples_document
from emovid_assets.core.release.snippets import READERS_BY_NAME
from emovid_assets.resources.release import loading
from emovid_assets.tables.release import RELEASE_CLIPS
from emovid_assets_tests.assets.homes import ROOT, Demo
from emovid_assets_tests.release import released
from emovid_assets_tests.release.planted_releases import clip

PYTHON = ROOT / ".venv-fiftyone" / "bin" / "python"
NAME = "movie-0000000000000001-00000000-00002000"


def samples(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return list(json.loads(b"".join(samples_document(rows, RELEASE_CLIPS)))["samples"])


def test_a_clip_with_a_file_is_a_sample_with_three_labels() -> None:
    row = clip(
        NAME,
        file_name=f"movie/{NAME}.mp4",
        emotion="awe",
        label_confidence=0.9,
        human_emotion="awe",
        vlm_emotion="fear",
        vlm_confidence=0.5,
    )
    (sample,) = samples(row, clip("movie-2", file_name=None))
    assert sample["filepath"] == f"../train/movie/{NAME}.mp4"
    assert sample["tags"] == ["train"]
    shown = {
        name: {key: sample[name].get(key) for key in ("label", "confidence")} for name in ("emotion", "human", "vlm")
    }
    assert shown == {
        "emotion": {"label": "awe", "confidence": 0.9},
        "human": {"label": "awe", "confidence": None},
        "vlm": {"label": "fear", "confidence": 0.5},
    }
    assert len({sample["_id"]["$oid"], *(sample[name]["_id"]["$oid"] for name in shown)}) == 4
    assert sample["caption"] is None
    assert samples(clip(NAME, file_name="x.mp4"))[0]["human"] is None


def test_every_column_is_a_field_with_its_meaning_and_every_field_is_in_the_samples() -> None:
    said = json.loads(metadata_document("EmoVid", RELEASE_CLIPS, {"version": "1.0.0"}))
    fields = {field["name"]: field for field in said["sample_fields"]}
    assert set(RELEASE_CLIPS.column_names) - set(fields) == {
        *("file_name", "label_confidence", "human_emotion", "vlm_emotion", "vlm_confidence"),
    }
    assert fields["start_s"]["ftype"] == "fiftyone.core.fields.FloatField"
    assert fields["start_s"]["description"].endswith("[s]")
    assert fields["picture_hashes"]["subfield"] == "fiftyone.core.fields.StringField"
    (sample,) = samples(clip(NAME, file_name="x.mp4"))
    set_by_it = {"id", "metadata", "_dataset_id", "created_at", "last_modified_at"}
    assert set(sample) - {"_id"} == set(fields) - set_by_it


def test_the_same_release_gives_the_same_documents() -> None:
    row = clip(NAME, file_name="x.mp4")
    assert samples(row) == samples(row)
    assert samples() == []


in_its_environment = pytest.mark.skipif(
    not PYTHON.exists(), reason="FiftyOne has no environment here: run make fiftyone"
)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For processes that this test starts."""
    folder = tmp_path / "database"
    folder.mkdir()
    shutil.copyfile(Path(__file__).with_name("mongo_in_memory.py"), folder / "sitecustomize.py")
    monkeypatch.setenv("PYTHONPATH", str(folder))


@pytest.mark.integration
@in_its_environment
@pytest.mark.usefixtures("database")
def test_fiftyone_reads_every_clip_that_has_a_file(demo: Demo, tmp_path: Path) -> None:
    folder = tmp_path / "1.0.0"
    rows = [row for row in released.make(demo.home, folder).to_pylist() if row["file_name"]]
    splits = loading.splits_in(folder)
    reader = READERS_BY_NAME["fiftyone"]
    assert loading.differences(loading.load(reader, folder, splits, PYTHON), reader, splits) == []
    command = [str(PYTHON), str(Path(__file__).with_name("fiftyone_reads.py")), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    read = json.loads(done.stdout.splitlines()[-1])
    expected = {
        row["clip_id"]: {
            "filepath": str(folder / row["split"] / row["file_name"]),
            "is_there": True,
            "media_type": "video",
            "tags": [row["split"]],
            "emotion": [row["emotion"], row["label_confidence"]],
            "human": row["human_emotion"] and [row["human_emotion"], None],
            "vlm": row["vlm_emotion"] and [row["vlm_emotion"], row["vlm_confidence"]],
            **{name: row[name] for name in ("caption", "start_s", "hue", "has_audio", "caption_frame_pts_s", "title")},
        }
        for row in rows
    }
    assert read["own"] == expected
    assert read["loaded"] == expected
    assert read["counts"] == Counter(row["emotion"] for row in rows)
    assert read["benchmark"] == sum(row["split"] == "benchmark" for row in rows)
    assert read["sure"] == sum((row["vlm_confidence"] or 0) > 0.4 for row in rows)
    assert read["meaning"] == "start, counted from the first video frame [s]"
    assert read["classes"] == list(EMOTION_NAMES)
    assert read["info"] == {"version": "1.0.0"}
