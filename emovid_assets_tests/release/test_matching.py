"""Clips are found in other films by the hashes of their pictures: with the right offset, and in no wrong film."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.core.release.matching import SPEEDS, Pictures, distance, showing

FPS = 25


def film(seed: int, seconds: float, fps: float = FPS, scene_s: float = 3.0) -> Pictures:
    """Scenes that begin anywhere and change by a bit or two a picture, as real ones do."""
    chance = np.random.default_rng(seed)
    times_s = np.arange(round(seconds * 100)) / 100
    hashes, bits = [], 0
    for index in range(len(times_s)):
        if index % round(scene_s * 100) == 0:
            bits = int(chance.integers(1, 2**63))
        bits ^= 1 << int(chance.integers(64)) if chance.random() < 0.4 else 0
        hashes.append(bits)
    at = np.minimum((np.arange(int(seconds * fps)) / fps * 100).round().astype(int), len(times_s) - 1)
    return Pictures(np.arange(len(at)) / fps, np.array(hashes, np.uint64)[at])


def clips(of: Pictures, *intervals: tuple[float, float]) -> dict[str, Pictures]:
    """As a release has them: a picture each quarter of a second, by the source's time."""
    found = {}
    for start_s, end_s in intervals:
        chosen = of.nearest(np.arange(start_s, end_s, 0.25))
        found[f"{start_s:g}"] = Pictures(of.times_s[chosen], of.hashes[chosen])
    return found


def noisy(pictures: Pictures, bits: int, seed: int = 0) -> Pictures:
    """As re-encoding leaves them: up to so many bits of each are others."""
    chance = np.random.default_rng(seed)
    hashes = pictures.hashes.copy()
    for index in range(len(hashes)):
        for bit in chance.choice(64, int(chance.integers(0, bits + 1)), replace=False):
            hashes[index] ^= np.uint64(1 << int(bit))
    return Pictures(pictures.times_s, hashes)


def moved(pictures: Pictures, seconds: float) -> Pictures:
    """Cut off at the beginning, or put behind something else."""
    times_s = pictures.times_s + seconds
    kept = times_s >= -1e-9
    return Pictures(times_s[kept], pictures.hashes[kept])


def behind(first: Pictures, *others: Pictures) -> Pictures:
    times_s, hashes = [first.times_s], [first.hashes]
    for other in others:
        times_s.append(other.times_s + times_s[-1][-1] + 1 / FPS)
        hashes.append(other.hashes)
    return Pictures(np.concatenate(times_s), np.concatenate(hashes))


INTERVALS = (2.0, 7.0), (9.0, 14.0), (20.0, 27.0)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(-45, 400), st.integers(0, 6), st.sampled_from([25, 24, 29.97, 15]))
def test_clips_are_found_within_a_picture_however_a_film_is_moved_noisy_or_at_another_rate(
    seed: int, pictures_later: int, bits: int, fps: float
) -> None:
    later_s = pictures_later / FPS
    intro = film(seed + 20_000, max(later_s, 0.04), fps)
    upload = moved(film(seed, 30, fps), later_s)
    if later_s > 0:
        upload = Pictures(
            np.concatenate([intro.times_s[intro.times_s < later_s], upload.times_s]),
            np.concatenate([intro.hashes[intro.times_s < later_s], upload.hashes]),
        )
    found = showing(clips(film(seed, 30), *INTERVALS), noisy(upload, bits, seed))
    assert found is not None
    assert set(found.of_clips) == {"2", "9", "20"}
    for place in found.of_clips.values():
        assert place.offset_s == pytest.approx(later_s, abs=1 / fps + 1e-6)
    assert found.share > 0.95
    assert found.distance <= bits + 2


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_a_wholly_different_film_is_not_matched(seed: int) -> None:
    assert showing(clips(film(seed, 30), *INTERVALS), film(seed + 1, 60)) is None


def test_films_that_share_a_title_card_are_not_confused() -> None:
    card, one, other = film(1, 6), film(2, 30), film(3, 30)
    wanted = clips(behind(card, one), (0.0, 5.5), (7.0, 12.0), (14.0, 21.0))
    assert showing(wanted, behind(card, other)) is None
    right = showing(wanted, behind(card, one))
    assert right is not None
    assert right.share == 1.0


def test_an_advert_in_the_middle_moves_what_is_behind_it() -> None:
    whole = film(4, 40)
    halves = [
        Pictures(part.times_s - part.times_s[0], part.hashes)
        for part in (
            Pictures(whole.times_s[:500], whole.hashes[:500]),
            Pictures(whole.times_s[500:], whole.hashes[500:]),
        )
    ]
    upload = behind(halves[0], film(5, 8), halves[1])
    found = showing(clips(whole, (3.0, 9.0), (11.0, 18.0), (22.0, 30.0), (31.0, 38.0)), upload)
    assert found is not None
    offsets = {name: round(place.offset_s, 2) for name, place in found.of_clips.items()}
    assert offsets == pytest.approx({"3": 0.0, "11": 0.0, "22": 8.0, "31": 8.0}, abs=0.05)


@pytest.mark.parametrize("speed", SPEEDS)
def test_films_that_television_shows_faster_or_slower_are_found(speed: float) -> None:
    whole = film(10, 400)
    wanted = clips(whole, *((start, start + 6.0) for start in range(5, 390, 15)))
    upload = Pictures(whole.times_s / speed + 2.0, whole.hashes)
    found = showing(wanted, noisy(upload, 4))
    assert found is not None
    assert len(found.of_clips) == len(wanted)
    # A thousandth more or less is what two places of one speed make up for as well.
    assert found.speed == pytest.approx(speed, rel=0.0011)
    for name, place in found.of_clips.items():
        in_film_s = float(name) / speed + 2.0
        assert (float(name) + place.offset_s) / found.speed == pytest.approx(in_film_s, abs=0.05)


def test_what_is_cut_off_is_not_found_and_the_rest_is() -> None:
    wanted = clips(film(6, 30), (0.0, 4.0), (9.0, 14.0), (20.0, 27.0))
    found = showing(wanted, moved(film(6, 30), -5.0))
    assert found is not None
    assert set(found.of_clips) == {"9", "20"}


def test_pictures_that_show_nothing_are_no_evidence() -> None:
    black = Pictures(np.arange(0, 10, 0.25), np.zeros(40, np.uint64))
    assert showing({"black": black}, Pictures(np.arange(500) / FPS, np.zeros(500, np.uint64))) is None
    wanted = clips(film(7, 30), *INTERVALS)
    faded = {"2": Pictures(wanted["2"].times_s, np.where(np.arange(len(wanted["2"])) < 6, 0, wanted["2"].hashes))}
    found = showing(wanted | faded, moved(film(7, 30), -1.0))
    assert found is not None
    assert found.of_clips["2"].offset_s == pytest.approx(-1.0, abs=0.04)


def test_a_clip_that_shows_nothing_is_where_its_film_says() -> None:
    wanted = clips(film(8, 30), *INTERVALS)
    wanted["black"] = Pictures(np.arange(15, 18, 0.25), np.zeros(12, np.uint64))
    found = showing(wanted, moved(film(8, 30), -1.48))
    assert found is not None
    assert found.of_clips["black"].offset_s == pytest.approx(-1.48, abs=0.04)


def test_the_distance_is_that_of_pictures_at_the_same_time() -> None:
    one = clips(film(9, 10), (2.0, 8.0))["2"]
    clip = Pictures(one.times_s - 2.0, one.hashes)
    shown = Pictures(film(9, 10).times_s[50:200] - 2.0, film(9, 10).hashes[50:200])
    assert distance(clip, shown) == 0.0
    assert distance(clip, Pictures(shown.times_s, shown.hashes ^ np.uint64(0b111))) == 3.0
    assert distance(Pictures(clip.times_s, np.zeros(len(clip), np.uint64)), shown) is None


def test_columns_that_do_not_fit_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="1 hashes for 2 pictures"):
        Pictures.of([0.0, 0.25], ["0" * 16])
    for text in ("0" * 15, "0" * 17, "g" * 16):
        with pytest.raises(ValueError, match=r"16 hex digits|invalid literal"):
            Pictures.of([0.0], [text])
