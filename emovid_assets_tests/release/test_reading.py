"""Releases are found by version or folder, and what is none is refused with a sentence."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.resources.release.reading import (
    NotAReleaseError,
    find_release,
    found_in,
    read_release,
    releases_of,
    rows,
)
from emovid_assets_tests.release.planted_releases import RELEASE_JSON, clip, plant_release, table_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def plant(home: Home, version: str, tier: str = "full", **said: Any) -> Path:
    name = version if tier == "full" else f"{version}+{tier}"
    return plant_release(home.releases / name, table_of([clip("a")]), version=version, tier=tier, **said)


def test_a_release_says_what_it_is(tmp_path: Path) -> None:
    folder = plant_release(tmp_path / "anywhere", table_of([clip("a"), clip("b")]), bump="minor", previous="0.9.0")
    release = read_release(folder)
    assert (release.version, release.tier, release.clip_count, release.previous) == ("1.0.0", "full", 2, "0.9.0")
    assert release.created_at == datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)


def test_rows_are_those_of_all_splits_by_clip(tmp_path: Path) -> None:
    table = table_of([clip("b", split="benchmark"), clip("c"), clip("a"), clip("d", split="unused")])
    assert rows(read_release(plant_release(tmp_path / "r", table))).equals(table)


def test_versions_come_as_numbers_and_full_before_metadata(home: Home) -> None:
    for version, tier in (("1.10.0", "full"), ("1.9.0", "metadata"), ("1.9.0", "full"), ("1.2.3", "full")):
        plant(home, version, tier)
    names = [release.folder_name for release in releases_of(home)]
    assert names == ["1.2.3", "1.9.0", "1.9.0+metadata", "1.10.0"]


def test_what_is_being_made_is_no_release_and_what_is_broken_is_told(home: Home) -> None:
    plant(home, "1.0.0")
    plant_release(home.releases / ".making-abc", table_of([clip("a")]))
    plant_release(home.releases / "copy of 1.0.0", table_of([clip("a")]))
    (home.releases / "2.0.0").mkdir()
    found = found_in(home.releases)
    assert [release.version for release in found.releases] == ["1.0.0"]
    assert set(found.broken) == {"2.0.0", "copy of 1.0.0"}
    assert "has no release.json" in found.broken["2.0.0"]
    assert "under another name" in found.broken["copy of 1.0.0"]


def test_a_version_means_the_full_release_and_the_other_where_there_is_no_full_one(home: Home) -> None:
    plant(home, "1.0.0")
    plant(home, "1.0.0", "metadata")
    plant(home, "1.1.0", "metadata")
    assert find_release(home, "1.0.0").tier == "full"
    assert find_release(home, "1.0.0+metadata").tier == "metadata"
    assert find_release(home, "1.1.0").tier == "metadata"


def test_a_folder_is_found_without_a_home(tmp_path: Path) -> None:
    folder = plant_release(tmp_path / "fetched", table_of([clip("a")]))
    assert find_release(None, str(folder)).folder == folder


def test_who_asks_for_another_version_is_told_which_there_are(home: Home) -> None:
    with pytest.raises(NotAReleaseError, match=r"no release '2\.0\.0'.*holds none yet.*emovid release make"):
        find_release(home, "2.0.0")
    plant(home, "1.0.0")
    plant(home, "1.1.0", "metadata")
    with pytest.raises(NotAReleaseError, match=r"there are 1\.0\.0, 1\.1\.0\+metadata, and"):
        find_release(home, "2.0.0")
    with pytest.raises(NotAReleaseError, match="name a folder"):
        find_release(None, "2.0.0")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"version": "1.0"}, "'version': '1.0'"),
        ({"tier": "half"}, "'tier'"),
        ({"format": 99}, "later version of this program"),
        ({"created_at": "yesterday"}, "'created_at'"),
        ({"clip_count": -1}, "'clip_count': -1"),
        ({"clip_count": True}, "'clip_count': True"),
        ({"reasons": "many"}, "'reasons'"),
        ({"digest": None}, "'digest'"),
    ],
)
def test_what_release_json_cannot_say_is_named(tmp_path: Path, said: dict[str, Any], fault: str) -> None:
    with pytest.raises(NotAReleaseError, match=fault):
        read_release(plant_release(tmp_path / "r", table_of([clip("a")]), **said))


@pytest.mark.parametrize("key", sorted(RELEASE_JSON))
def test_a_key_that_is_missing_is_named(tmp_path: Path, key: str) -> None:
    folder = plant_release(tmp_path / "r", table_of([clip("a")]))
    said = json.loads((folder / "release.json").read_text())
    del said[key]
    (folder / "release.json").write_text(json.dumps(said))
    with pytest.raises(NotAReleaseError, match=f"lacks '{key}'"):
        read_release(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"version": '])
def test_release_json_that_is_torn_is_refused(tmp_path: Path, text: str) -> None:
    folder = plant_release(tmp_path / "r", table_of([clip("a")]))
    (folder / "release.json").write_text(text)
    with pytest.raises(NotAReleaseError, match="damaged"):
        read_release(folder)


def test_a_release_without_its_sums_is_not_whole(tmp_path: Path) -> None:
    folder = plant_release(tmp_path / "r", table_of([clip("a")]))
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(NotAReleaseError, match="not whole"):
        read_release(folder)


def test_rows_that_are_missing_or_torn_are_no_rows(tmp_path: Path) -> None:
    folder = plant_release(tmp_path / "r", table_of([clip("a"), clip("b", split="unused")]))
    release = read_release(folder)
    (folder / "unused" / "metadata.parquet").rename(tmp_path / "away.parquet")
    with pytest.raises(NotAReleaseError, match=r"has 1 rows where release\.json says 2"):
        rows(release)
    (folder / "train" / "metadata.parquet").write_bytes(b"PAR1")
    with pytest.raises(NotAReleaseError, match="cannot be read"):
        rows(release)
    (folder / "train" / "metadata.parquet").unlink()
    with pytest.raises(NotAReleaseError, match=r"no metadata\.parquet"):
        rows(release)
