"""What counts as the same sticker, on real ones and their copies."""

import itertools
from pathlib import Path
from random import Random
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageSequence

from emovid_assets.core.collection.duplicates import MAX_COLOUR_STEPS, MAX_PROPORTION, KnownLooks, fingerprint
from emovid_assets.core.video.errors import MediaError
from emovid_assets.home.settings import CollectionSettings
from emovid_assets_tests.assets.homes import draw_gif
from emovid_assets_tests.media.making import write_animation

BITS = CollectionSettings().near_duplicate_bits


def known(prints: list[dict[str, Any]], bits: int) -> KnownLooks[int]:
    """By their places."""
    looks: KnownLooks[int] = KnownLooks(bits)
    for place, made in enumerate(prints):
        looks.add(place, made)
    return looks


def shows_the_same(one: dict[str, Any], other: dict[str, Any], bits: int) -> bool:
    first, second = known([other], bits).first_like(one), known([one], bits).first_like(other)
    assert first == second
    return first is not None


def copies(path: Path, folder: Path) -> list[Path]:
    """The GIF at half size, and with 64 colours."""
    image = Image.open(path)
    frames = [frame.convert("RGBA") for frame in ImageSequence.Iterator(image)]
    white = [Image.alpha_composite(Image.new("RGBA", one.size, "white"), one).convert("RGB") for one in frames]
    width, height = image.size
    changed = {
        "half": [one.resize((width // 2, height // 2), Image.Resampling.LANCZOS) for one in white],
        "colours": [one.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).convert("RGB") for one in white],
    }
    made = []
    for name, pictures in changed.items():
        target = folder / f"{path.stem}-{name}.gif"
        pictures[0].save(target, save_all=True, append_images=pictures[1:], duration=100, loop=0, optimize=False)
        made.append(target)
    return made


@pytest.mark.corpus
def test_copies_of_real_stickers_are_found_and_similar_ones_stay_two(corpus: Path, tmp_path: Path) -> None:
    # Faces that look alike, and a few others; all 40 that move were measured once (see the module).
    alike = ("angry", "rage", "sick", "anguished", "smile", "relieved", "pensive", "smiley-cat", "crying-cat-face")
    moving = [path for path in sorted((corpus / "sticker").iterdir()) if path.stem.partition("__")[2] in alike]
    prints = {path.name: fingerprint(path) for path in moving}
    assert len(prints) == 9
    for one, other in itertools.combinations(prints, 2):
        assert not shows_the_same(prints[one], prints[other], BITS), (one, other)
    for path in [path for path in moving if path.suffix == ".gif"][::3]:
        for copy in copies(path, tmp_path):
            assert shows_the_same(prints[path.name], fingerprint(copy), BITS), copy.name


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_a_fingerprint_is_of_the_first_the_middle_and_the_last_picture(tmp_path: Path, count: int) -> None:
    frames = [np.zeros((40, 60, 3), np.uint8) for _ in range(count)]
    for index, frame in enumerate(frames):
        # Of every picture another part is of another colour.
        frame[: 5 * (index + 1), 10:] = (250 - 30 * index, 30 * index, 10)
    found = fingerprint(write_animation(tmp_path / "a.webp", frames, 100))
    chosen = [frames[place] for place in (0, count // 2, count - 1)]
    assert found["proportion"] == 1.5
    assert found["colours"] == [round(float(frame[..., part].mean())) for frame in chosen for part in range(3)]
    assert found["hashes"] == [str(imagehash.phash(Image.fromarray(frame))) for frame in chosen]


def test_the_same_shape_in_another_colour_is_another_sticker(tmp_path: Path) -> None:
    red = fingerprint(draw_gif(tmp_path / "red.gif", (200, 40, 40)))
    green = fingerprint(draw_gif(tmp_path / "green.gif", (40, 90, 40)))
    assert red["hashes"] == green["hashes"] or not shows_the_same(red, green, 64)
    assert not shows_the_same(red, green, 64)
    assert shows_the_same(red, fingerprint(draw_gif(tmp_path / "slow.gif", (202, 41, 40), delay_ms=200)), BITS)


def test_another_proportion_or_another_end_is_another_sticker(tmp_path: Path) -> None:
    one = fingerprint(draw_gif(tmp_path / "a.gif"))
    assert not shows_the_same(one, {**one, "proportion": one["proportion"] * 1.3}, 64)
    last = f"{int(one['hashes'][2], 16) ^ 0b11111:016x}"
    assert not shows_the_same(one, {**one, "hashes": [*one["hashes"][:2], last]}, 4)
    assert shows_the_same(one, {**one, "hashes": [*one["hashes"][:2], last]}, 5)


def test_what_does_not_move_is_no_sticker(tmp_path: Path) -> None:
    path = tmp_path / "still.gif"
    Image.new("RGB", (40, 40), "red").save(path)
    with pytest.raises(MediaError) as caught:
        fingerprint(path)
    assert caught.value.code == "single_image"


def test_of_many_that_are_the_same_the_first_is_named(tmp_path: Path) -> None:
    one = fingerprint(draw_gif(tmp_path / "a.gif"))
    paler = {**one, "colours": [min(255, value + 25) for value in one["colours"]]}
    assert known([paler, one, {**one, "proportion": 9.0}, one], BITS).first_like(one) == 1
    assert known([], BITS).first_like(one) is None


def differs(one: dict[str, Any], other: dict[str, Any], bits: int) -> bool:
    """By the words of the module, pair by pair."""
    hashes, colours = (zip(one[name], other[name], strict=True) for name in ("hashes", "colours"))
    wider, narrower = sorted((one["proportion"], other["proportion"]), reverse=True)
    return (
        any((int(a, 16) ^ int(b, 16)).bit_count() > bits for a, b in hashes)
        or any(abs(a - b) > MAX_COLOUR_STEPS for a, b in colours)
        or wider > narrower * MAX_PROPORTION
    )


@pytest.mark.parametrize("bits", [0, 1, 3, 6, 9, 14])
def test_the_first_of_any_number_is_the_one_that_comparing_all_pairs_names(bits: int) -> None:
    random = Random(bits)
    prints: list[dict[str, Any]] = []
    for _ in range(400):
        base = random.choice(prints) if prints and random.random() < 0.8 else None
        hashes = [int(text, 16) for text in base["hashes"]] if base else [random.getrandbits(64) for _ in range(3)]
        colours = base["colours"] if base else [random.randrange(256) for _ in range(9)]
        for place in range(3):
            for _ in range(random.randrange(bits + 3) // 2):
                hashes[place] ^= 1 << random.randrange(64)
        prints.append(
            {
                "hashes": [f"{one:016x}" for one in hashes],
                "colours": [value + random.randrange(-7, 8) for value in colours],
                "proportion": random.choice((1.0, 1.05, 1.2)),
            }
        )
    looks: KnownLooks[int] = KnownLooks(bits)
    twins = 0
    for place, made in enumerate(prints):
        alike = (before for before in range(place) if not differs(made, prints[before], bits))
        found = next(alike, None)
        assert looks.first_like(made) == found
        twins += found is not None
        looks.add(place, made)
    assert twins > 40
