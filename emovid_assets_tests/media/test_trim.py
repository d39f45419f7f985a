"""A source whose end is an advert: what begins behind the trim does not exist."""

from fractions import Fraction
from pathlib import Path

import pytest

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.scan import ScanSettings, scan_source
from emovid_assets.core.video.streams import ONLY
from emovid_assets_tests.media.making import scenery, write_video
from emovid_assets_tests.media.scanning import ADAPTIVE, SOURCE_ID, scan

FPS = 10


def film(path: Path, *lengths_s: int) -> Path:
    """Scenes of the given lengths; a cut between each two."""
    frames = [scenery(scene, index) for scene, length in enumerate(lengths_s) for index in range(length * FPS)]
    return write_video(path, frames, fps=FPS)


def test_a_trimmed_source_is_the_source_that_ends_there(tmp_path: Path) -> None:
    long, short = film(tmp_path / "long.mov", 5, 6, 4), film(tmp_path / "short.mov", 5, 6)
    trimmed, expected = scan(long, trim_s=11.0), scan(short)
    assert trimmed == expected
    assert [(segment["start_s"], segment["end_s"]) for segment in trimmed["segments"]] == [(0, 5), (5, 11)]


def test_a_trim_within_a_scene_ends_its_segment_there(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mov", 5, 6)
    assert [segment["end_s"] for segment in scan(path, trim_s=9.0)["segments"]] == [5, 9]
    assert [segment["end_s"] for segment in scan(path, trim_s=8.95)["segments"]] == [5, 9.0]
    assert [segment["end_frame"] for segment in scan(path, trim_s=8.85)["segments"]] == [50, 89]


def test_a_trim_behind_the_end_changes_nothing(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mov", 5, 4)
    assert scan(path, trim_s=9.0) == scan(path, trim_s=100.0) == scan(path)


def test_the_trim_counts_from_the_first_frame(tmp_path: Path) -> None:
    frames = [scenery(0, index) for index in range(80)]
    path = write_video(tmp_path / "late.mov", frames, pts=list(range(100, 180)), time_base=Fraction(1, FPS))
    assert scan(path, trim_s=5.0)["segments"][-1]["end_s"] == 5.0


def test_known_changes_give_the_same_trimmed_source(tmp_path: Path) -> None:
    path, changes = film(tmp_path / "a.mov", 5, 6, 4), tmp_path / "changes.npy"
    first = scan(path, trim_s=11.0, changes=changes)
    assert changes.exists()
    assert scan(path, trim_s=11.0, changes=changes) == first
    # Changes of another trim are of other frames: they are measured anew.
    assert scan(path, trim_s=5.0, changes=changes) == scan(path, trim_s=5.0)
    assert scan(path, changes=changes) == scan(path)


def test_a_file_that_ends_before_its_trim_is_still_found_damaged(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mov", 5, 4)
    settings = ScanSettings(ADAPTIVE, 20, 4.0, 30.0, False)
    scan_source(path, ONLY, SOURCE_ID, settings, tmp_path / "t", expected_frame_count=200, trim_s=7.0)
    with pytest.raises(MediaError, match="200 frames, 90"):
        scan_source(path, ONLY, SOURCE_ID, settings, tmp_path / "t", expected_frame_count=200, trim_s=60.0)
