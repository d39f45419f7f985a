"""Stickers of characters: what is wanted of a folder of pictures, what a model begins with, what files come."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageSequence

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.generation.first_frames import fitted
from emovid_assets.core.video.sticker_files import delays_ms, write_gif, write_webp
from emovid_assets.home.folders import Home
from emovid_assets.resources.generation import pictures
from emovid_assets.resources.generation.brought import brought, characters_of
from emovid_assets.resources.workplace import PlainWorkplace
from emovid_assets_tests.generation.homes import bytes_of, generator, made, write_settings
from emovid_assets_tests.generation.tiny_generators import tiny_adapter

Tiny = Callable[[str], Path]
RED = (220, 40, 40)


def draw(path: Path, *, size: tuple[int, int] = (40, 80), is_transparent: bool = True) -> Path:
    ground = (0, 0, 0, 0) if is_transparent else (30, 60, 200, 255)
    picture = Image.new("RGBA", size, ground)
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] - 1, size[1] - 1), outline=(*RED, 255), width=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    (picture.convert("RGB") if path.suffix == ".jpg" else picture).save(path)
    return path


def test_each_character_in_each_emotion_and_seed_becomes_a_film_and_stickers(
    tmp_path: Path, tiny_generator: Tiny
) -> None:
    folder = tmp_path / "library" / "characters"
    draw(folder / "cat.png")
    draw(folder / "dog.jpg", is_transparent=False)
    (folder / "cat.txt").write_text("A grey cat\nwith a bow tie.\n")
    model = generator("stick", tiny_generator("cogvideox_i2v"), "i2v", prompts="characters", seeds=[4], fps=8)
    write_settings(tmp_path, model)
    found = made(tmp_path, domain="sticker")
    wanted = [wanted for wanted, _ in found.stage.wanted.values()]
    assert {(one.character, one.asked_emotion, one.seed) for one in wanted} == {
        (name, emotion, 4) for name in ("cat.png", "dog.jpg") for emotion in EMOTION_NAMES
    }
    prompts = {one.prompt for one in wanted if (one.character, one.asked_emotion) == ("cat.png", "fear")}
    assert prompts == {'A grey cat with a bow tie. The video is in the "fear" emotion.'}
    assert {Path(name).suffix for name in bytes_of(tmp_path, found.videos)} == {".mp4", ".gif", ".webp", ".jpg"}
    assert len(bytes_of(tmp_path, found.videos)) == 16 * 4
    for payload in found.videos.values():
        with Image.open(tmp_path / payload["video_path"].replace(".mp4", ".gif")) as gif:
            assert gif.n_frames == payload["frame_count"]
            assert "transparency" not in gif.info
            length_ms = sum(frame.info["duration"] for frame in ImageSequence.Iterator(gif))
        assert length_ms == pytest.approx(1000 * payload["duration_s"], abs=10)
    assert made(tmp_path, domain="movie").stage.wanted == {}


def test_a_character_of_words_and_several_adapters_is_text_to_video(tmp_path: Path, tiny_generator: Tiny) -> None:
    folder = tmp_path / "library" / "characters"
    folder.mkdir(parents=True)
    (folder / "hero.txt").write_text("sks hero with a red cape")
    pipeline = tiny_generator("wan_t2v")
    for number, name in enumerate(("emotion", "character")):
        tiny_adapter(pipeline, tmp_path / "models" / f"{name}.safetensors", seed=number, strength=0.2)
    adapters = [
        {"name": name, "file": f"models/{name}.safetensors", "weight": weight}
        for name, weight in (("emotion", 1.0), ("character", 0.7))
    ]
    write_settings(tmp_path, generator("t", pipeline, prompts="characters", adapters=adapters))
    found = made(tmp_path, domain="sticker")
    assert len(found.videos) == 8
    payload = next(iter(found.videos.values()))
    assert [(one["name"], one["weight"]) for one in payload["adapters"]] == [("emotion", 1.0), ("character", 0.7)]
    # Without a picture nothing can begin an image-to-video model.
    write_settings(tmp_path, generator("i", tiny_generator("wan_i2v"), "i2v", prompts="characters"))
    without = made(tmp_path, domain="sticker").stage
    assert without.wanted == {}
    assert without.lacking == ["i: no videos of hero.txt: i2v begins with a picture of that name"]


def test_what_is_no_character_is_told_and_an_empty_folder_too(tmp_path: Path, tiny_generator: Tiny) -> None:
    folder = tmp_path / "library" / "characters"
    write_settings(tmp_path, generator("s", tiny_generator("wan_i2v"), "i2v", prompts="characters"))
    empty = made(tmp_path, domain="sticker")
    assert empty.stage.lacking == ["s: no characters yet: put pictures into library/characters"]
    draw(folder / "sub" / "cat.png")
    (folder / "cat.gif").write_bytes(b"GIF89a")
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "broken.png").write_bytes(b"\x89PNG no picture")
    found = made(tmp_path, domain="sticker")
    assert {(one.path, one.code) for one in found.stage.faults} == {
        ("library/characters/sub/cat.png", "not_a_character"),
        ("library/characters/cat.gif", "not_a_character"),
        ("library/characters/broken.png", "not_a_character"),
    }
    assert (found.failures, found.stage.wanted) == ([], {})


def test_a_picture_that_cannot_be_read_is_told_once_and_looked_at_once_and_its_words_stay_a_character(
    tmp_path: Path, tiny_generator: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "library" / "characters"
    whole = draw(folder / "cat.png").read_bytes()
    (folder / "cat.png").write_bytes(whole[: len(whole) // 2])
    (folder / "cat.txt").write_text("A grey cat")
    (folder / "dog.png").write_bytes(whole[: len(whole) // 2])
    looked: list[str] = []
    still_frame = pictures.still_frame

    def noted(path: Path, **limits: int) -> Any:
        looked.append(path.name)
        return still_frame(path, **limits)

    monkeypatch.setattr(pictures, "still_frame", noted)
    by_words = generator("t", tiny_generator("wan_t2v"), prompts="characters", seeds=[0, 1])
    by_picture = generator("i", tiny_generator("wan_i2v"), "i2v", prompts="characters")
    write_settings(tmp_path, by_words, by_picture)
    first = made(tmp_path, domain="sticker")
    assert {wanted.character for wanted, _ in first.stage.wanted.values()} == {"cat.png"}
    assert (len(first.of("t")), len(first.of("i")), first.failures) == (16, 0, [])
    assert [(one.path, one.code) for one in first.stage.faults] == [
        ("library/characters/cat.png", "truncated"),
        ("library/characters/dog.png", "truncated"),
    ]
    again = made(tmp_path, domain="sticker")
    assert (again.stage.faults, again.computed) == (first.stage.faults, 0)
    assert looked == ["cat.png", "dog.png"]
    (folder / "dog.png").write_bytes(whole)
    mended = made(tmp_path, domain="sticker")
    assert len(mended.of("i")) == 8
    assert looked == ["cat.png", "dog.png", "dog.png"]


def test_an_empty_picture_is_one_row_and_two_pictures_of_a_name_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "library" / "characters"
    draw(folder / "cat.png")
    draw(folder / "cat.webp")
    (folder / "dog.png").write_bytes(b"")
    home = Home(tmp_path)
    characters, faults = PlainWorkplace(str(tmp_path)).with_store(
        lambda store: characters_of(home, brought(home), pictures.Pictures(store, 1_000_000, reads=True).fault_of)
    )
    assert [one.name for one in characters] == ["cat.png", "cat.webp"]
    found = {one.path.rpartition("/")[2]: (one.code, one.detail) for one in faults}
    assert found.pop("dog.png") == ("empty_file", "")
    assert [code for code, _ in found.values()] == ["character_twice"]


def test_a_character_with_a_transparent_ground_keeps_all_of_itself_on_white() -> None:
    picture = Image.new("RGBA", (40, 80), (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((0, 0, 39, 79), outline=(*RED, 255), width=8)
    found = fitted(np.asarray(picture), 160, 80)
    assert found.shape == (80, 160, 3)
    red = (np.abs(found.astype(int) - RED) < 20).all(axis=2)
    rows, columns = np.where(red)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (0, 79, 60, 99)
    assert (found[40, [0, 59, 80, 100, 159]] == 255).all()


def test_an_opaque_picture_is_cropped_around_its_middle_and_never_squeezed() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    rows, columns = np.mgrid[:100, :200]
    picture[(rows - 50) ** 2 + (columns - 100) ** 2 < 40**2] = 255
    found = fitted(picture, 50, 50)
    shown = found[..., 0] > 127
    # The circle is a circle still, half as large.
    assert shown.any(axis=0).sum() == shown.any(axis=1).sum() == pytest.approx(40, abs=1)
    tall = fitted(np.repeat(np.arange(200, dtype=np.uint8)[:, None, None], 100, 1).repeat(3, 2), 100, 100)
    assert (tall[0, 0, 0], tall[-1, 0, 0]) == (50, 149)


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    picture = np.zeros((20, 20, 4), np.uint8)
    picture[..., 3] = 128
    assert np.abs(fitted(picture, 20, 20).astype(int) - 127).max() <= 1


@pytest.mark.parametrize("fps", [8, 12, 16, 24, 30])
def test_delays_add_up_to_the_length_of_the_film(fps: float) -> None:
    assert sum(delays_ms(81, fps, step_ms=10)) == pytest.approx(81 * 1000 / fps, abs=5)
    assert sum(delays_ms(81, fps, step_ms=1)) == pytest.approx(81 * 1000 / fps, abs=1)
    assert min(delays_ms(81, fps, step_ms=10)) >= 20


def test_a_white_ground_stays_white_in_both_kinds_of_stickers(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    pictures = []
    for index in range(5):
        picture = noise.integers(251, 256, (48, 48, 3)).astype(np.uint8)
        picture[10:30, 5 + index : 25 + index] = noise.integers(0, 200, (20, 20, 3))
        pictures.append(picture)
    write_gif(tmp_path / "a.gif", pictures, 10)
    write_webp(tmp_path / "a.webp", pictures, 10)
    for path, most in ((tmp_path / "a.gif", 0), (tmp_path / "a.webp", 6)):
        with Image.open(path) as read:
            frames = [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(read)]
        assert len(frames) == 5
        for frame in frames:
            assert (frame[..., 3] == 255).all()
            assert (255 - frame[36:, :, :3].astype(int)).max() <= most
        # What moves is where it was drawn.
        assert (frames[4][15:25, 12:24, :3].mean()) < 150 < frames[0][15:25, 27:29, :3].mean()
