"""Clips that fail where a labeller is measured, which is over all domains, stand in the quarantine like any other."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emovid_assets.building.runner import AssetReport
from emovid_assets.checks.proofs import proofs
from emovid_assets.freshness.needs import quarantined_counts
from emovid_assets.freshness.staleness import Place
from emovid_assets.home.folders import Home
from emovid_assets_tests.assets.homes import build, errors_of, report_of, rows
from emovid_assets_tests.vlm.conftest import Trained
from emovid_assets_tests.vlm.learnable import clip_id, make_home

pytestmark = pytest.mark.integration

FIRST_BLIND, LABELLED = 0, 20
"""A validation clip, and one that is neither that nor of the benchmark."""


def spoilt(home: Path, number: int) -> Path:
    """The clip's file holds no film any more; its bytes lie beside it."""
    file = home / "media" / f"{number}.mov"
    kept = Path(shutil.copyfile(file, file.with_suffix(".kept")))
    file.write_text("no film", encoding="utf-8")
    return kept


def mended(kept: Path) -> None:
    kept.replace(kept.with_suffix(".mov"))


def built(home: Path, **options: bool) -> AssetReport:
    reports = build(home, domains=["movie"], selection="key:emotion_labeller", **options)
    assert errors_of(reports) == []
    return report_of(reports, "emotion_labeller", None)


def unseen(home: Path) -> list[str]:
    """What `emovid verify` misses in the quarantine."""
    return [fault for proof in proofs(Home(home)) for fault in proof.faults if "not in processing_errors" in fault]


def shown(home: Path) -> list[tuple[str, str, str]]:
    """The table of errors, built anew."""
    assert errors_of(build(home, domains=["movie"], selection="key:processing_errors")) == []
    errors = rows(home, "processing_errors", "movie")
    return [(row["asset"], row["domain"], row["item_id"]) for row in errors]


def expect_seen_and_retried(home: Path, number: int, kept: Path) -> None:
    """What a person sees of one failed clip, and how it is tried again."""
    assert len(unseen(home)) == 1
    assert shown(home) == [("emotion_labeller", "movie", clip_id(number))]
    assert unseen(home) == []
    assert quarantined_counts(Home(home)) == {Place("emotion_labeller", None): 1}
    assert quarantined_counts(Home(home), ["sticker"]) == {}
    mended(kept)
    assert built(home).quarantined == 1, "a failure is kept until somebody asks"
    again = built(home, retry_quarantined=True)
    assert (again.computed, again.quarantined) == (1, 0)
    assert shown(home) == []


def test_a_clip_on_which_a_model_cannot_be_measured_is_seen_and_tried_again(
    tmp_path: Path, tiny_chat_model: Callable[[str], Path]
) -> None:
    home = make_home(tmp_path / "home", tiny_chat_model("llava_onevision"), fine_tune=False)
    kept = spoilt(home, LABELLED)
    assert built(home).quarantined == 1
    expect_seen_and_retried(home, LABELLED, kept)


def test_a_blind_clip_that_the_model_without_adapter_cannot_answer_is_seen_and_tried_again(
    tmp_path: Path, trained: Trained
) -> None:
    home = Path(shutil.copytree(trained("qwen25_vl")[0], tmp_path / "home"))
    kept = spoilt(home, FIRST_BLIND)
    assert built(home).quarantined == 1
    expect_seen_and_retried(home, FIRST_BLIND, kept)


def test_what_nobody_measures_any_more_leaves_the_quarantine(
    tmp_path: Path, tiny_chat_model: Callable[[str], Path]
) -> None:
    home = make_home(tmp_path / "home", tiny_chat_model("llava_onevision"), fine_tune=False)
    spoilt(home, LABELLED)
    assert built(home).quarantined == 1
    settings = home / "emovid.toml"
    settings.write_text(settings.read_text(encoding="utf-8").partition("[labeller]")[0], encoding="utf-8")
    built(home)
    assert shown(home) == []
