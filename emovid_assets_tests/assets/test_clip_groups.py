"""The same film in two domains and a sticker that was cut from it are one group, from the files on."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emovid_assets.core.identity import source_of
from emovid_assets_tests.assets.homes import build, draw_gif, errors_of, rows
from emovid_assets_tests.media.making import write_video

SCENE_FRAMES = 105
LINKED = "+key:clip_groups"


def scene(seed: int) -> list[np.ndarray]:
    """Blocks that drift to the right, uint8 (96, 160, 3) each; no two frames are alike, also at half size."""
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 10, 3), np.uint8)
    ground = blocks.repeat(16, axis=0).repeat(16, axis=1)
    return [np.roll(ground, 2 * index, axis=1) for index in range(SCENE_FRAMES)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("groups")
    library = home / "library"
    for domain in ("movie", "animation", "sticker"):
        (library / domain).mkdir(parents=True)
    first, second = scene(1), scene(2)
    film = write_video(
        library / "movie" / "film.mp4",
        [*first, *second],
        codec="libx264",
        pix_fmt="yuv420p",
        options={"crf": "18", "threads": "1"},
    )
    shutil.copy(film, library / "animation" / "the same.mp4")
    cut = [Image.fromarray(frame).resize((80, 48), Image.Resampling.BOX) for frame in first]
    cut[0].save(library / "sticker" / "cut.gif", save_all=True, append_images=cut[1:], duration=40, loop=0)
    draw_gif(library / "sticker" / "another.gif")
    assert errors_of(build(home, selection=LINKED)) == []
    return home


def test_one_group_holds_the_film_its_copy_and_the_sticker_that_was_cut_from_it(home: Path) -> None:
    paths = {
        row["source_id"]: Path(row["path"]).name
        for domain in ("movie", "animation", "sticker")
        for row in rows(home, "source_videos", domain)
    }
    found = sorted(
        (paths[source_of(row["clip_id"])], row["domain"], row["reason"], row["group_id"])
        for row in rows(home, "clip_groups")
    )
    (of_film,) = {f"g-{source}" for source, name in paths.items() if name == "the same.mp4"}
    (of_another,) = {f"g-{source}" for source, name in paths.items() if name == "another.gif"}
    assert found == [
        ("another.gif", "sticker", "source", of_another),
        ("cut.gif", "sticker", "near_duplicate", of_film),
        ("film.mp4", "movie", "same_bytes", of_film),
        ("film.mp4", "movie", "same_bytes", of_film),
        # Groups are named after their smallest source, and animation comes first.
        ("the same.mp4", "animation", "source", of_film),
    ]


def test_a_second_build_finds_the_same_groups(home: Path) -> None:
    before = rows(home, "clip_groups")
    assert errors_of(build(home, selection="key:clip_groups")) == []
    assert rows(home, "clip_groups") == before
