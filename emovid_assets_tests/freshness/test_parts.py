"""A table of all domains that has changed elsewhere makes nothing stale in a domain that it does not concern."""

from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from emovid_assets.assets.domain_parts import PART_TAG, SEEN_TAG, groups_of_domain, note_parts, part_given
from emovid_assets.core.clip_groups import ClipGroups
from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.staleness import CODE_TAG, INPUT_TAG, VERSION_TAG, Lineage, Place, verdicts
from emovid_assets.tables.registry import TABLES

GROUPS, SPLIT = Place("clip_groups", None), Place("benchmark_split", "movie")
LINEAGE = Lineage(
    names=["clip_groups", "benchmark_split"],
    is_partitioned={"clip_groups": False, "benchmark_split": True},
    parents={"clip_groups": [], "benchmark_split": ["clip_groups"]},
    settings={"clip_groups": [], "benchmark_split": []},
    code_versions={"clip_groups": "1", "benchmark_split": "1"},
    blocking_checks={"clip_groups": [], "benchmark_split": []},
)


@dataclass
class Noting:
    """A project, as far as it is told something."""

    noted: dict[str, str] = field(default_factory=dict)

    def note(self, tag: str, value: str) -> None:
        self.noted[tag] = value


def table(*clips: tuple[str, str, str]) -> pa.Table:
    """Of (clip, domain, group)."""
    return TABLES["clip_groups"].from_rows(
        {"clip_id": clip, "domain": domain, "group_id": group, "reason": "source", "twins_id": f"t-{clip}"}
        for clip, domain, group in clips
    )


BEFORE = [("m1", "movie", "g1"), ("m2", "movie", "g2"), ("s1", "sticker", "g2"), ("s2", "sticker", "g3")]


def reasons(before: pa.Table, now: pa.Table, *, knows_parts: bool = True) -> tuple[str, ...]:
    """Of the split of the movies, that was made of one table, when there is another."""
    given, noted = Noting(), Noting()
    part_given(given, before, "movie")
    note_parts(noted, now, DOMAINS)
    made = dict.fromkeys(LINEAGE.places()) | {
        GROUPS: {VERSION_TAG: "now", CODE_TAG: "1", **(noted.noted if knows_parts else {})},
        SPLIT: {VERSION_TAG: "x", CODE_TAG: "1", f"{INPUT_TAG}clip_groups": "before", **given.noted},
    }
    return verdicts(LINEAGE, made, {})[SPLIT].reasons


@pytest.mark.parametrize(
    ("more", "is_stale"),
    [
        pytest.param([("s9", "sticker", "g9")], False, id="a clip of another domain in a group of its own"),
        pytest.param([("s9", "sticker", "g3")], False, id="a clip of another domain in a group of another"),
        pytest.param([("s9", "sticker", "g2")], True, id="a clip of another domain in a group of a movie"),
        pytest.param([("m9", "movie", "g9")], True, id="a clip of the domain"),
        pytest.param([("m9", "movie", "g3")], True, id="a clip of the domain that joins a group of another"),
    ],
)
def test_only_what_concerns_a_domain_makes_it_stale(more: list[tuple[str, str, str]], is_stale: bool) -> None:
    assert bool(reasons(table(*BEFORE), table(*BEFORE, *more))) == is_stale


def test_a_clip_that_leaves_a_group_of_the_domain_makes_it_stale() -> None:
    assert reasons(table(*BEFORE), table(*(one for one in BEFORE if one[0] != "s1"))) == ("clip_groups has changed",)


def test_a_table_that_knows_no_parts_is_compared_as_a_whole() -> None:
    assert reasons(table(*BEFORE), table(*BEFORE), knows_parts=False) == ("clip_groups has changed",)


def test_a_part_has_all_clips_of_its_groups_and_says_the_same_of_the_domain() -> None:
    whole = table(*BEFORE)
    part = groups_of_domain(whole, "movie")
    assert part["clip_id"].to_pylist() == ["m1", "m2", "s1"]
    of_all, of_part = ClipGroups.of(whole.to_pylist()), ClipGroups.of(part.to_pylist())
    assert {clip: of_part.group_of[clip] for clip in ("m1", "m2")} == {"m1": "g1", "m2": "g2"}
    assert of_part.home_of == of_all.home_of == {"g2": "movie"}
    assert groups_of_domain(whole, "animation").num_rows == 0


def test_tags_say_which_part_is_meant() -> None:
    noted, given = Noting(), Noting()
    note_parts(noted, table(*BEFORE), DOMAINS)
    part_given(given, table(*BEFORE), "sticker")
    assert set(noted.noted) == {f"{PART_TAG}{domain}" for domain in DOMAINS}
    assert given.noted == {f"{SEEN_TAG}clip_groups": noted.noted[f"{PART_TAG}sticker"]}
    assert len(set(noted.noted.values())) == len(DOMAINS)
