"""DiffSynth-Studio itself reads an export: its dataset class, in an environment of its own (`make diffsynth`)."""

import json
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emovid_assets.core.tuning.families import FAMILIES, Size
from emovid_assets.core.tuning.trainers import TRAINERS
from emovid_assets.resources.tuning.choosing import Wish
from emovid_assets.resources.tuning.export import export
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.tuning.homes import CLIPS, number_of, planted_home
from emovid_assets_tests.tuning.reading import Seen, diffsynth, options_of

PYTHON = ROOT / ".venv-diffsynth" / "bin" / "python"
SCRIPT = Path(__file__).with_name("diffsynth_reads.py")
REPEATS = {"movie": 1, "animation": 2, "sticker": 3}

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


def read_by_diffsynth(folder: Path, scratch: Path) -> list[Seen]:
    options, result = scratch / "options.json", scratch / "read.npz"
    options.write_text(json.dumps(options_of((folder / "launch.sh").read_text(encoding="utf-8"))), encoding="utf-8")
    done = subprocess.run(
        [str(PYTHON), str(SCRIPT), str(options), str(result)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
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
