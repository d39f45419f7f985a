"""Still pictures as models see them: as a person sees them, whatever the file is like inside, or with a reason not."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emovid_assets.core.colour import ColourSums
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.stills import is_still, measured, still_frame
from emovid_assets.core.vlm.frames import read
from emovid_assets_tests.media.making import scenery, write_video
from emovid_assets_tests.media.scanning import scan

WIDTH, HEIGHT = 120, 90
CORNERS = {"red": (220, 40, 30), "green": (40, 200, 60), "blue": (30, 60, 220), "white": (255, 255, 255)}
"""Left above, right above, left below, right below."""


def corners() -> Image.Image:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red, green, blue, white = CORNERS.values()
    pixels[:45, :60], pixels[:45, 60:], pixels[45:, :60], pixels[45:, 60:] = red, green, blue, white
    return Image.fromarray(pixels)


def seen_corners(path: Path) -> list[str]:
    """The names of the four colours in the picture that a model is given."""
    [(stamp, pixels)] = read(path, [0.0], 448)
    assert stamp == 0.0
    height, width = pixels.shape[:2]
    places = [(height // 4, width // 4), (height // 4, 3 * width // 4), (3 * height // 4, width // 4)]
    places.append((3 * height // 4, 3 * width // 4))
    names = list(CORNERS)
    return [
        names[int(np.argmin([np.abs(pixels[place].astype(int) - CORNERS[name]).sum() for name in names]))]
        for place in places
    ]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_and_the_right_way_round(tmp_path: Path, orientation: int) -> None:
    """The transformations of EXIF's table, written out: what a camera wrote must be undone."""
    undo = {
        1: lambda stored: stored,
        2: np.fliplr,
        3: lambda stored: np.rot90(stored, 2),
        4: np.flipud,
        5: lambda stored: np.swapaxes(stored, 0, 1),
        6: lambda stored: np.rot90(stored, -1),
        7: lambda stored: np.rot90(np.swapaxes(stored, 0, 1), 2),
        8: lambda stored: np.rot90(stored),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    corners().save(tmp_path / "a.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "a.jpg") as image:
        expected = undo[orientation](np.asarray(image))
    [(_, pixels)] = read(tmp_path / "a.jpg", [0.0], 448)
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {"format": "JPEG"}),
        ("RGB", {"format": "JPEG", "progressive": True}),
        ("CMYK", {"format": "JPEG"}),
        ("RGB", {"format": "PNG"}),
        ("RGBA", {"format": "PNG"}),
        ("P", {"format": "PNG"}),
        ("RGB", {"format": "WEBP", "lossless": True}),
        ("P", {"format": "GIF"}),
        ("RGB", {"format": "BMP"}),
    ],
    ids=lambda one: one if isinstance(one, str) else "-".join(map(str, one.values())),
)
def test_a_file_is_read_by_its_bytes_whatever_its_name_says(tmp_path: Path, mode: str, options: dict[str, Any]) -> None:
    corners().convert(mode).save(tmp_path / "a.jpg", **options)
    assert seen_corners(tmp_path / "a.jpg") == list(CORNERS)


@pytest.mark.parametrize("bits", [8, 16])
def test_grey_pictures_keep_their_levels(tmp_path: Path, bits: int) -> None:
    levels = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (8, 1))
    wide = levels.astype(np.uint16) * 257 if bits == 16 else levels
    Image.fromarray(wide).save(tmp_path / "a.jpg", format="PNG")
    [(_, pixels)] = read(tmp_path / "a.jpg", [0.0], 448)
    np.testing.assert_array_equal(pixels, np.dstack([levels] * 3))


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 10), (200, 0, 0, 0)).save(tmp_path / "a.jpg", format="PNG")
    assert (read(tmp_path / "a.jpg", [0.0], 448)[0][1] == 255).all()


def test_a_large_picture_is_made_smaller_by_areas_like_a_frame_of_a_film(tmp_path: Path) -> None:
    frame = scenery(5, 0, 240, 400)
    Image.fromarray(frame).save(tmp_path / "a.png")
    write_video(tmp_path / "a.mov", [frame, frame])
    [(_, still)], [(_, of_film), *_] = read(tmp_path / "a.png", [0.0], 100), read(tmp_path / "a.mov", [0.0], 100)
    assert still.shape == of_film.shape == (60, 100, 3)
    assert np.abs(still.astype(float) - of_film).mean() < 2


def test_animations_and_films_are_no_stills(tmp_path: Path) -> None:
    stills = [corners(), corners().rotate(180)]
    for name in ("a.webp", "a.png", "a.gif"):
        stills[0].save(tmp_path / name, save_all=True, append_images=stills[1:], duration=100)
        assert not is_still(tmp_path / name)
        assert len(read(tmp_path / name, [0.0, 0.1], 64)) == 2
    write_video(tmp_path / "a.mov", [np.asarray(corners())] * 2)
    assert not is_still(tmp_path / "a.mov")


def test_a_picture_is_measured_as_a_film_of_it_is(tmp_path: Path) -> None:
    """Of the same pixels, by the media pass: FFmpeg reads a bitmap as a film of one frame."""
    Image.fromarray(scenery(4, 0, 80, 100)).save(tmp_path / "a.bmp")
    Image.fromarray(scenery(4, 0, 80, 100)).save(tmp_path / "a.png")
    found = measured({"path": str(tmp_path / "a.png"), "max_pixels": 10_000})
    [film] = scan(tmp_path / "a.bmp", whole=True, minimum=0.0)["segments"]
    assert ColourSums(*found["colour"]) == ColourSums(*film["colour"])
    for name in found["features"].keys() - {"duration_s"}:
        assert found["features"][name] == film["features"][name], name
    assert found["features"]["duration_s"] == 0.0
    assert found["cpu_s"] > 0


def good_jpeg(folder: Path) -> bytes:
    corners().save(folder / "good.jpg")
    return (folder / "good.jpg").read_bytes()


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("truncated", lambda data: data[: len(data) * 6 // 10]),
        ("empty_file", lambda data: b""),
        ("not_a_video", lambda data: b"<html>404</html>"),
        ("not_a_video", lambda data: b"\xff\xd8\xff" + b"\0" * 400),
    ],
)
def test_a_picture_that_cannot_be_read_says_why(tmp_path: Path, code: str, spoil: Any) -> None:
    (tmp_path / "a.jpg").write_bytes(spoil(good_jpeg(tmp_path)))
    with pytest.raises(MediaError) as refused:
        still_frame(tmp_path / "a.jpg")
    assert refused.value.code == code


def test_limits_are_named_and_missing_files_are_gone(tmp_path: Path) -> None:
    good_jpeg(tmp_path)
    with pytest.raises(MediaError, match=r"120 × 90 pixels, media.max_pixels allows 10,799"):
        measured({"path": str(tmp_path / "good.jpg"), "max_pixels": 10_799})
    with pytest.raises(MediaError) as gone:
        measured({"path": str(tmp_path / "gone.jpg"), "max_pixels": 1})
    assert gone.value.code == "vanished"


def test_bytes_behind_the_end_change_nothing_and_nobody_is_warned(tmp_path: Path) -> None:
    data = good_jpeg(tmp_path)
    (tmp_path / "a.jpg").write_bytes(data + b"\0" * 500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert seen_corners(tmp_path / "a.jpg") == list(CORNERS)
