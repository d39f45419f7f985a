"""What clips of each family of generators must be."""

import pytest

from emovid_assets.core.tuning.families import FAMILIES, Size, nearest_bucket


@pytest.mark.parametrize(
    ("family", "most", "count"),
    [
        ("wan", 81, 81),
        ("wan", 84, 81),
        ("wan", 5, 5),
        ("wan", 4, 1),
        ("wan", 0, 0),
        ("wan2.2-5b", 121, 121),
        ("hunyuanvideo", 96, 93),
        ("cogvideox", 49, 49),
        ("cogvideox", 48, 41),
        ("cogvideox", 53, 49),
        ("ltx-video", 120, 113),
        ("ltx-2", 121, 121),
    ],
)
def test_a_clip_has_the_largest_number_of_frames_that_its_family_is_trained_on(
    family: str, most: int, count: int
) -> None:
    assert FAMILIES[family].largest_count(most) == count
    assert FAMILIES[family].has_count(most) == (most == count and count > 0)


def test_rates_are_those_of_the_published_models() -> None:
    rates = {name: family.rate for name, family in FAMILIES.items()}
    assert rates == {
        "wan": 16,
        "wan2.2-5b": 24,
        "hunyuanvideo": 24,
        "cogvideox": 8,
        "ltx-video": 25,
        "ltx-2": 24,
    }


@pytest.mark.parametrize("name", FAMILIES)
def test_every_bucket_fits_the_family_and_has_about_as_many_pixels_as_its_own_size(name: str) -> None:
    family = FAMILIES[name]
    assert family.has_count(family.frames)
    assert family.buckets()[0] == family.size
    for size in family.buckets():
        assert family.has_size(size)
        assert 0.85 < size.width_px * size.height_px / (family.size.width_px * family.size.height_px) <= 1


@pytest.mark.parametrize(
    ("width", "height", "bucket"),
    [
        (1920, 1080, "832x480"),
        (1080, 1920, "480x832"),
        (500, 500, "624x624"),
        (640, 480, "720x544"),
        (20, 1, "832x480"),
    ],
)
def test_a_clip_goes_to_the_bucket_of_the_nearest_shape(width: int, height: int, bucket: str) -> None:
    assert str(nearest_bucket(FAMILIES["wan"].buckets(), width, height)) == bucket


def test_a_single_bucket_takes_everything() -> None:
    assert nearest_bucket((Size(64, 64),), 1920, 1080) == Size(64, 64)
