"""The table `releases`: a row a folder that is whole, stale when one comes or goes, and asked for by a sensor."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emovid_assets.assets import releases
from emovid_assets.building import runner
from emovid_assets.building.status import asset_states
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.sensors import release_folders
from emovid_assets.resources.release.reading import NO_RELEASES, digest_of
from emovid_assets_tests.assets.homes import errors_of, rows
from emovid_assets_tests.orchestration.test_sensors import Ticks
from emovid_assets_tests.release.planted_releases import clip, plant_release, table_of
from emovid_assets_tests.tuning.materialising import materialise


def plant(home: Path, name: str, **said: Any) -> Path:
    version, _, tier = name.partition("+")
    return plant_release(home / "releases" / name, table_of([clip("a")]), version=version, tier=tier or "full", **said)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "library").mkdir(parents=True)
    return tmp_path / "home"


def state(home: Path) -> str:
    (found,) = [one.state for one in asset_states(Home(home)) if one.asset == "releases"]
    return found


def test_releases_are_rows_and_what_is_broken_is_told(home: Path) -> None:
    plant(
        home,
        "1.1.0+metadata",
        previous="1.0.0",
        bump="minor",
        reasons=["3 clips added"],
        media_count=0,
        metadata_only_count=1,
        left_out_count=4,
        size_bytes=12_345,
        file_count=9,
    )
    plant(home, "1.0.0")
    plant_release(home / "releases" / ".making-ab", table_of([clip("a")]))
    (home / "releases" / "2.0.0").mkdir()
    metadata = materialise(home, releases, of_domains=["benchmark_split"])
    assert [(row["version"], row["tier"]) for row in rows(home, "releases")] == [
        ("1.0.0", "full"),
        ("1.1.0", "metadata"),
    ]
    assert rows(home, "releases")[1] == {
        "version": "1.1.0",
        "tier": "metadata",
        "name": "EmoVid of here",
        "created_at": datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC),
        "previous_version": "1.0.0",
        "bump": "minor",
        "reasons": ["3 clips added"],
        "clip_count": 1,
        "media_count": 0,
        "metadata_only_count": 1,
        "left_out_count": 4,
        "digest": "ab" * 32,
        "format": 1,
        "file_count": 9,
        "size_bytes": 12_345,
        "path": "releases/1.1.0+metadata",
    }
    assert metadata["broken"] == 1
    assert "2.0.0 is no release" in str(metadata["what_is_broken"])


@pytest.mark.integration
def test_a_release_that_comes_makes_the_table_stale_until_it_is_built_again(home: Path) -> None:
    def build() -> None:
        assert errors_of(list(runner.build(Home(home), selection="key:releases"))) == []

    build()
    assert state(home) == "up to date"
    plant(home, "1.0.0")
    assert state(home) == "stale: releases have come or gone"
    build()
    assert state(home) == "up to date"
    assert [row["version"] for row in rows(home, "releases")] == ["1.0.0"]


def test_the_sensor_asks_once_for_each_release(home: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        ticks = Ticks(release_folders, home, instance)
        assert ticks.settled() == []
        materialise(home, releases, of_domains=["benchmark_split"], instance=instance)
        plant(home, "1.0.0")
        (request,) = ticks().run_requests
        assert (request.partition_key, request.asset_selection) == (None, [dg.AssetKey("releases")])
        assert ticks.settled() == []
        materialise(home, releases, of_domains=["benchmark_split"], instance=instance)
        assert ticks.settled() == []
        plant(home, "1.0.0+metadata")
        (other,) = ticks().run_requests
        assert other.run_key != request.run_key
        materialise(home, releases, of_domains=["benchmark_split"], instance=instance)
        assert ticks.settled() == []
        # A state that was there before is another one again.
        shutil.rmtree(home / "releases" / "1.0.0+metadata")
        (again,) = ticks().run_requests
        assert again.run_key not in (request.run_key, other.run_key)


def test_the_digest_says_which_folders_there_are(home: Path) -> None:
    folder = home / "releases"
    seen = [digest_of(folder)]
    plant(home, "1.0.0")
    seen.append(digest_of(folder))
    (folder / "1.1.0").mkdir()
    seen.append(digest_of(folder))
    (folder / "1.0.0" / "SHA256SUMS").unlink()
    seen.append(digest_of(folder))
    (folder / ".making-x").mkdir()
    (folder / "notes.txt").touch()
    assert digest_of(folder) == seen[-1]
    assert seen[0] == NO_RELEASES
    assert len(set(seen)) == len(seen)
