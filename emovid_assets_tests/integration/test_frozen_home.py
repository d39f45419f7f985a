"""A home that an older version has built: it opens, its items are known, and what is left to do is said."""

import tarfile
from pathlib import Path

import pytest

from emovid_assets.building.plan import PlannedAsset, plan
from emovid_assets.building.runner import build
from emovid_assets.home.folders import Home
from emovid_assets.queries.running import answer

pytestmark = pytest.mark.integration

ARCHIVE = Path(__file__).parents[1] / "frozen" / "home.tar.xz"
OF_MEDIA = ("source_videos", "scanned_segments", "clip_media", "benchmark_split")
CLIP = "sticker-2d26785552c875f7-00000000-00000800"


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("frozen")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return Home(folder / "home")


@pytest.fixture(scope="module")
def planned(frozen: Home) -> list[PlannedAsset]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(frozen.root / "dagster"))
        return plan(frozen)


def test_its_catalogue_answers(frozen: Home) -> None:
    rows = answer(frozen, "SELECT clip_id, brightness, source_path FROM clip_catalogue").to_pylist()
    assert rows == [{"clip_id": CLIP, "brightness": 1.0, "source_path": "library/sticker/ball.gif"}]


def test_no_medium_has_to_be_read_again(planned: list[PlannedAsset]) -> None:
    assert {one.items for one in planned if one.asset in OF_MEDIA} == {0}


def test_what_people_answered_and_what_was_probed_is_fresh(planned: list[PlannedAsset]) -> None:
    assert {one.state for one in planned if one.asset in ("source_videos", "wanted_videos")} == {"up to date"}


def test_a_build_takes_up_its_items_without_computing_any(frozen: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(frozen.root / "dagster"))
    selection = "key:scanned_segments or key:segments or key:clips or key:colour_attributes"
    reports = list(build(frozen, domains=["sticker"], selection=selection))
    assert [report.error for report in reports] == [None]
    computed = {asset.asset: (asset.rows, asset.computed) for report in reports for asset in report.assets}
    assert computed == {
        "scanned_segments": (1, 0),
        "segments": (1, None),
        "clips": (1, None),
        "colour_attributes": (1, None),
    }
