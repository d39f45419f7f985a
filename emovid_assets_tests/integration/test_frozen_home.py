"""A home that an older version has built: it opens, its items are known, and what is left to do is said."""

import tarfile
from pathlib import Path

import pytest

from emovid_assets.building.plan import PlannedAsset, plan
from emovid_assets.building.runner import Scope, build
from emovid_assets.home.folders import Home
from emovid_assets.queries.running import answer

pytestmark = pytest.mark.integration

ARCHIVE = Path(__file__).parents[1] / "frozen" / "home.tar.xz"
READ_AGAIN = ("source_videos", "scanned_segments", "clip_media")
"""Files are read by other rules than that version had."""
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


def test_what_is_read_by_other_rules_now_is_read_again_and_it_is_said_why(planned: list[PlannedAsset]) -> None:
    of_stickers = {one.asset: one for one in planned if one.domain == "sticker"}
    assert [of_stickers[name].items for name in READ_AGAIN] == [1, 1, 1]
    assert of_stickers["source_videos"].reason == "its code has changed"
    assert of_stickers["benchmark_split"].items == 0


def test_what_people_answered_is_fresh(planned: list[PlannedAsset]) -> None:
    assert {one.state for one in planned if one.asset == "wanted_videos"} == {"up to date"}


def test_a_build_reads_it_again_once_and_keeps_its_clip(frozen: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(frozen.root / "dagster"))
    selection = "key:source_videos or key:scanned_segments or key:segments or key:clips or key:clip_media"
    computed = []
    scopes: tuple[Scope, ...] = ("needed", "everything")
    for scope in scopes:
        reports = list(build(frozen, domains=["sticker"], selection=selection, scope=scope))
        assert {report.error for report in reports} == {None}
        assets = [asset for report in reports for asset in report.assets if asset.asset in READ_AGAIN]
        computed.append({asset.asset: (asset.rows, asset.computed) for asset in assets})
    assert computed == [dict.fromkeys(READ_AGAIN, (1, 1)), dict.fromkeys(READ_AGAIN, (1, 0))]
    assert answer(frozen, "SELECT clip_id, has_audio FROM clips").to_pylist() == [{"clip_id": CLIP, "has_audio": False}]
