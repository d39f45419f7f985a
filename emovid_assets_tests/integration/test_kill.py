"""The kill test at a size for every run; `scripts/kill_test.py` is the same over any library."""

import importlib.util
from pathlib import Path

import pytest

from emovid_assets_tests.assets.homes import ROOT, draw_gif, rows
from emovid_assets_tests.media.making import scenery, write_video

pytestmark = pytest.mark.integration


def test_builds_that_are_killed_end_with_the_tables_of_an_undisturbed_one_and_readers_see_no_error(
    tmp_path: Path,
) -> None:
    specification = importlib.util.spec_from_file_location("kill_test", ROOT / "scripts" / "kill_test.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)

    library = tmp_path / "library"
    for number in range(6):
        draw_gif(library / "sticker" / f"{number}.gif", (40 * number, 90, 200), frame_count=10)
    (library / "sticker" / "bad.gif").write_text("no picture", encoding="utf-8")
    film = [scenery(scene, number) for scene in range(4) for number in range(55)]
    (library / "movie").mkdir()
    write_video(
        *(library / "movie" / "film.mp4", film),
        fps=12,
        codec="libx264",
        pix_fmt="yuv420p",
        options={"g": "40", "sc_threshold": "0"},
    )
    selection = "+key:colour_attributes or +key:clip_media or +key:processing_errors"
    # A seed with moments in which items are at work: a half and four fifths of a build.
    found = module.kill_test(tmp_path, library, 2, 17, ["-d", "movie", "-d", "sticker", "--select", selection])
    assert found["is_right"], found
    assert found["kills"] == 2
    # What each of the seven files is, their scans, the clip files, one of a sticker, four of the film, and what proves
    # their pictures.
    assert found["items"] == 7 + 7 + 2 * (6 + 4)
    assert found["finished_items_computed_again"] == 0
    hows = [row["how"] for row in rows(tmp_path / "home-1", "clip_media", "movie")]
    assert sorted(hows) == ["copied", "joined", "joined", "joined"]
