"""What the library knows of collected files: metadata by id, manifests, cells that are wrong."""

from pathlib import Path

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library import read_library


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


CLIPS_CSV = """\
videoid,year,clip_idx,clip_tot,upload_year,title,clip_name,imdbid
-0a_bcdefgh,2012.0,6,10,2019,Les Misérables,One Day More Scene,tt1707386
IsZdfna1LKA,2012.0,8,10,2019,Les Misérables,Javert's Suicide Scene,tt1707386
"""


@pytest.mark.parametrize(
    "name",
    [
        *("-0a_bcdefgh.mp4", "2019/youtube--0a_bcdefgh.mkv", "One Day More [-0a_bcdefgh].webm"),
        *("One Day More--0a_bcdefgh.mp4", "One Day More - -0a_bcdefgh.MP4"),
    ],
)
def test_a_film_named_after_its_id_has_the_facts_of_the_metadata(home: Home, name: str) -> None:
    metadata = home.library / "movie" / "metadata"
    metadata.mkdir(parents=True)
    (metadata / "clips.csv").write_text(CLIPS_CSV, encoding="utf-8")
    (metadata / "durations.csv").write_text("videoid,duration\n-0a_bcdefgh,83\n", encoding="utf-8")
    path = home.library / "movie" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"film")
    (found,) = read_library(home, "movie", ItemStore(home.state))
    expected = {
        "external_id": "-0a_bcdefgh",
        "title": "Les Misérables: One Day More Scene",
        "film_id": "tt1707386",
        "film_position": "6",
        "trim_s": "83",
        "origin": "condensed_movies",
        "origin_url": "https://www.youtube.com/watch?v=-0a_bcdefgh",
    }
    assert expected.items() <= found.manifest.items()
    assert found.manifest["terms_url"].startswith("https://")


def test_a_manifest_overrides_the_metadata_and_a_bad_row_of_it_is_quarantined(home: Home) -> None:
    metadata = home.library / "movie" / "metadata"
    metadata.mkdir(parents=True)
    (metadata / "clips.csv").write_text(CLIPS_CSV + "../x,,,,,,,\n", encoding="utf-8")
    (home.library / "movie" / "IsZdfna1LKA.mp4").write_bytes(b"film")
    (home.library / "movie" / "manifest.csv").write_text(
        "path,film_id,trim_s,is_audio_expected\nIsZdfna1LKA.mp4,mine,12.5,yes\n", encoding="utf-8"
    )
    store = ItemStore(home.state)
    (found,) = read_library(home, "movie", store)
    assert {"film_id": "mine", "film_position": "8", "trim_s": "12.5", "is_audio_expected": "yes"}.items() <= (
        found.manifest.items()
    )
    (fault,) = store.failures("movie")
    assert (fault.path, fault.code) == ("library/movie/metadata/clips.csv:4", "manifest_invalid")


@pytest.mark.parametrize(
    ("column", "value"), [("trim_s", "0"), ("trim_s", "soon"), ("trim_s", "inf"), ("is_audio_expected", "perhaps")]
)
def test_a_cell_that_is_no_length_or_flag_is_left_out_and_named(home: Home, column: str, value: str) -> None:
    (home.library / "movie").mkdir(parents=True)
    (home.library / "movie" / "a.mp4").write_bytes(b"film")
    (home.library / "movie" / "manifest.csv").write_text(f"path,title,{column}\na.mp4,A,{value}\n", encoding="utf-8")
    store = ItemStore(home.state)
    (found,) = read_library(home, "movie", store)
    assert found.manifest == {"title": "A"}
    assert f"`{column}` is '{value}'" in store.failures("movie")[0].message
