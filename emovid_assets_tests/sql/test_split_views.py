"""The benchmark: how full its cells are, and that every way to leak is found."""

import random
from pathlib import Path

import pytest

from emovid_assets.core.clip_groups import LIKENESS
from emovid_assets.core.colour import mean_colour
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.near_duplicates import Looks, are_near
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import SQL_FOLDER, plant


def _member(clip_id: str, split: str, *, domain: str = "movie", **values: object) -> dict[str, object]:
    return {"domain": domain, "clip_id": clip_id, "split": split, "group_id": f"group of {clip_id}"} | values


def _plant_clips(library: Library, **sources: dict[str, object]) -> None:
    """Clip → the values of its source video."""
    for domain in {clip.split("_")[0] for clip in sources}:
        mine = {clip: values for clip, values in sources.items() if clip.startswith(domain)}
        library.plant("clips", [{"domain": domain, "clip_id": clip, "source_id": f"source of {clip}"} for clip in mine])
        library.plant(
            "source_videos",
            [
                {"domain": domain, "source_id": f"source of {clip}", "sha256": f"source file of {clip}"} | values
                for clip, values in mine.items()
            ],
        )


def test_every_cell_is_there_with_what_it_lacks(library: Library) -> None:
    library.plant(
        "benchmark_split",
        [_member(f"a{i}", "benchmark", emotion="fear") for i in range(7)]
        + [_member(f"b{i}", "benchmark", emotion="awe") for i in range(12)]
        + [_member("c", "train", emotion="anger")],
    )
    rows = library.query("from benchmark_cells")
    assert [(row["domain"], row["emotion"]) for row in rows] == [(d, e) for d in DOMAINS for e in EMOTION_NAMES]
    cells = {(row["domain"], row["emotion"]): (row["clip_count"], row["missing_count"]) for row in rows}
    assert cells["movie", "fear"] == (7, 3)
    assert cells["movie", "awe"] == (12, 0)
    assert cells["movie", "anger"] == (0, 10)
    assert cells["sticker", "fear"] == (0, 10)
    assert {row["wanted_count"] for row in rows} == {10}


@pytest.mark.parametrize(("text", "wanted"), [("", 10), ("[benchmark]\nper_cell = 3\n", 3)])
def test_the_cells_are_held_against_the_setting(tmp_path: Path, text: str, wanted: int) -> None:
    (tmp_path / "emovid.toml").write_text(text, encoding="utf-8")
    plant(tmp_path, "benchmark_split", [_member(f"a{n}", "benchmark", emotion="fear") for n in range(3)])
    with open_catalogue(tmp_path, SQL_FOLDER) as connection:
        rows = connection.execute("select emotion, wanted_count, missing_count from benchmark_cells").fetchall()
    assert {count for _, count, _ in rows} == {wanted}
    assert sum(missing for *_, missing in rows) == 24 * wanted - 3


def test_a_catalogue_follows_its_settings(tmp_path: Path) -> None:
    settings = tmp_path / "emovid.toml"
    for text, value in (("", "10"), ("[benchmark]\nper_cell = 4\n", "4")):
        settings.write_text(text, encoding="utf-8")
        with open_catalogue(tmp_path, SQL_FOLDER) as connection:
            found = connection.execute("select value from library_settings where key = 'benchmark.per_cell'").fetchall()
        assert found == [(value,)]


def test_a_clean_split_has_no_leak(library: Library) -> None:
    _plant_clips(library, movie_a={"film_id": "one"}, movie_b={"film_id": "two"}, movie_c={"film_id": None}, movie_d={})
    library.plant(
        "benchmark_split",
        [
            _member("movie_a", "benchmark"),
            _member("movie_b", "train"),
            _member("movie_c", "benchmark"),
            _member("movie_d", "train"),
        ],
    )
    library.plant("clip_media", [{"domain": "movie", "clip_id": f"movie_{x}", "sha256": x} for x in "abcd"])
    assert library.query("from split_leaks") == []


def test_unused_clips_leak_nothing(library: Library) -> None:
    library.plant(
        "benchmark_split", [_member("a", "benchmark", group_id="same"), _member("b", "unused", group_id="same")]
    )
    assert library.query("from split_leaks") == []


def test_a_shared_group_is_a_leak_with_the_clips_of_both_sides(library: Library) -> None:
    library.plant(
        "benchmark_split",
        [
            _member("b", "benchmark", group_id="same"),
            _member("c", "train", group_id="same"),
            _member("a", "train", group_id="same"),
        ],
    )
    assert library.query("from split_leaks") == [
        {
            "kind": "group",
            "value": "same",
            "benchmark_clip_count": 1,
            "train_clip_count": 2,
            "domains": ["movie"],
            "benchmark_clip_ids": ["b"],
            "train_clip_ids": ["a", "c"],
        }
    ]


@pytest.mark.parametrize(
    ("kind", "value", "shared"),
    [("film", "one film", {"film_id": "one film"}), ("source_file", "one file", {"sha256": "one file"})],
)
@pytest.mark.parametrize("other_domain", ["movie", "animation"])
def test_a_shared_film_or_source_file_is_a_leak_also_across_domains(
    library: Library, kind: str, value: str, shared: dict[str, object], other_domain: str
) -> None:
    other = f"{other_domain}_b"
    _plant_clips(library, movie_a=shared, **{other: shared})
    library.plant("benchmark_split", [_member("movie_a", "benchmark"), _member(other, "train", domain=other_domain)])
    (leak,) = library.query("from split_leaks")
    assert (leak["kind"], leak["value"]) == (kind, value)
    assert leak["domains"] == sorted({"movie", other_domain})
    assert (leak["benchmark_clip_ids"], leak["train_clip_ids"]) == (["movie_a"], [other])


def test_equal_clip_files_are_a_leak_across_domains(library: Library) -> None:
    library.plant("benchmark_split", [_member("a", "benchmark"), _member("b", "train", domain="sticker")])
    library.plant(
        "clip_media",
        [
            {"domain": "movie", "clip_id": "a", "sha256": "same"},
            {"domain": "sticker", "clip_id": "b", "sha256": "same"},
        ],
    )
    (leak,) = library.query("from split_leaks")
    assert (leak["kind"], leak["value"], leak["domains"]) == ("clip_file", "same", ["movie", "sticker"])


def test_films_of_two_domains_are_compared_as_the_groups_compare_them(library: Library) -> None:
    _plant_clips(library, movie_a={"film_id": "TT0113277"}, animation_b={"film_id": " tt0113277"})
    library.plant(
        "benchmark_split", [_member("movie_a", "benchmark"), _member("animation_b", "train", domain="animation")]
    )
    assert [(leak["kind"], leak["value"]) for leak in library.query("from split_leaks")] == [("film", "tt0113277")]


def test_near_duplicates_are_a_leak_across_domains_by_the_rule_of_the_groups(library: Library) -> None:
    """Pairs that differ a little, in bits, colour and contrast, and the rule in Python; no group says anything."""
    chance = random.Random(4)
    features, colours, split = [], [], []
    for number in range(400):
        picture, side = number // 4, ("benchmark", "train")[number % 2]
        drawn = random.Random(picture)
        hashes = [drawn.getrandbits(64) if drawn.random() < 0.8 else 1 << drawn.randrange(64) for _ in range(3)]
        for place in range(3):
            for bit in chance.sample(range(64), chance.choice([0, 1, 2, 2, 3])):
                hashes[place] ^= 1 << bit
        clip = {"domain": "movie" if side == "benchmark" else "sticker", "clip_id": f"clip-{number:03}"}
        features.append(clip | {"frame_hashes": [f"{value:016x}" for value in hashes]})
        colour = {
            "brightness_mean": drawn.random(),
            "colorfulness_mean": drawn.random(),
            "hue_resultant": drawn.random(),
        }
        colour |= {"hue_mean_deg": drawn.choice([None, 10.0, 200.0]), "chromatic_share": drawn.random()}
        colour["brightness_mean"] += chance.choice([0, 0, 0, 0.05, 0.08])
        colours.append(clip | colour)
        split.append(_member(clip["clip_id"], side, domain=clip["domain"]))
    for table, rows in (("clip_features", features), ("colour_attributes", colours), ("benchmark_split", split)):
        library.plant(table, rows)
    looks = Looks.of((row["frame_hashes"] for row in features), (mean_colour(row) for row in colours))
    expected = {
        features[one]["clip_id"]: near
        for one in range(0, 400, 2)
        if (
            near := [
                features[n]["clip_id"] for n in range(1, 400, 2) if are_near(looks[[one]], looks[[n]], LIKENESS)[0]
            ]
        )
    }
    assert 20 < len(expected) < 200
    leaks = {leak["value"]: leak for leak in library.query("from split_leaks")}
    assert {value: leak["train_clip_ids"] for value, leak in leaks.items()} == expected
    assert {(leak["kind"], *leak["domains"]) for leak in leaks.values()} == {("near_duplicate", "movie", "sticker")}
    assert all(leak["benchmark_clip_ids"] == [value] for value, leak in leaks.items())
