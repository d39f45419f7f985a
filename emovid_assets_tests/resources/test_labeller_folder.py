"""The embedded labeller in its folder: what is equal is not learnt again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emovid_assets.core import embedded_labeller
from emovid_assets.core.embedded_labeller import forest_of, revisions_of, validated
from emovid_assets.core.labelling import LabelledClip
from emovid_assets.home.folders import Home
from emovid_assets.resources.models import TrainedForest, load_labeller, train_labeller
from emovid_assets.resources.project import Project
from emovid_assets_tests.core.evidence import labelled, random_clip

FORESTS = 4
"""One for each fold of three groups, and the one that is kept."""


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many clips each forest has learnt from."""
    sizes: list[int] = []
    fit = embedded_labeller._fit

    def noting(features: np.ndarray, labels: np.ndarray) -> object:
        sizes.append(len(labels))
        return fit(features, labels)

    monkeypatch.setattr(embedded_labeller, "_fit", noting)
    monkeypatch.setattr(embedded_labeller, "TREE_COUNT", 5)
    return sizes


def examples(count: int = 24) -> list[LabelledClip]:
    random = np.random.default_rng(0)
    clips = [random_clip(random, f"movie-{number:04d}") for number in range(count)]
    return [
        replace(labelled(clip, ("awe", "fear")[number % 2]), group_id=f"g-{number % 3}")
        for number, clip in enumerate(clips)
    ]


def train(home: Path, learnt: list[LabelledClip]) -> TrainedForest:
    return train_labeller(Project(home_folder=str(home)), learnt, minimum=16)


def test_equal_examples_are_learnt_once(tmp_path: Path, fitted: list[int]) -> None:
    first = train(tmp_path, examples())
    assert len(fitted) == FORESTS
    assert train(tmp_path, examples()[::-1]) == first
    assert len(fitted) == FORESTS
    assert first.report == validated(examples(), minimum=16)
    labeller = load_labeller(Project(home_folder=str(tmp_path)).home, f"models/{first.folder.name}")
    assert labeller.revision == first.revision == forest_of(examples(), minimum=16).revision


def test_one_more_example_is_learnt_with_all_others(tmp_path: Path, fitted: list[int]) -> None:
    first = train(tmp_path, examples(24))
    second = train(tmp_path, examples(25))
    assert (len(fitted), fitted[-1]) == (2 * FORESTS, 25)
    assert first.folder != second.folder
    assert second.report.training_clip_count == 25


def test_clips_that_have_come_together_are_judged_anew_by_a_forest_that_stays(
    tmp_path: Path, fitted: list[int]
) -> None:
    first = train(tmp_path, examples())
    joined = [replace(one, group_id="g-0" if one.group_id == "g-1" else one.group_id) for one in examples()]
    second = train(tmp_path, joined)
    assert len(fitted) == FORESTS + 2
    assert (second.revision, second.folder) == (first.revision, first.folder)
    assert second.report == validated(joined, minimum=16)
    assert (first.report.fold_count, second.report.fold_count) == (3, 2)
    assert revisions_of(joined, minimum=16)[1] != revisions_of(examples(), minimum=16)[1]


def test_a_folder_that_is_gone_is_made_again(tmp_path: Path, fitted: list[int]) -> None:
    first = train(tmp_path, examples())
    for file in first.folder.iterdir():
        file.unlink()
    first.folder.rmdir()
    assert train(tmp_path, examples()) == first
    assert len(fitted) == FORESTS + 1
    assert (first.folder / "labeller.npz").is_file()


@pytest.mark.parametrize("name", ["labeller.npz", "labeller.json"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_labeller_whose_file_was_cut_is_made_again(
    tmp_path: Path, fitted: list[int], name: str, share: float
) -> None:
    first = train(tmp_path, examples())
    file = first.folder / name
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    assert train(tmp_path, examples()) == first
    assert len(fitted) == FORESTS + 1
    assert load_labeller(Home(tmp_path), f"models/{first.folder.name}").revision == first.revision
