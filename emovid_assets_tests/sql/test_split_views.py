"""The benchmark: how full its cells are, and that every way to leak is found."""

import pytest

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.sql.conftest import Library


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
