"""What differs between two tables of clips is what a comparison of plain dictionaries finds."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.core.release.changes import CHANGES, ColumnCounts, Counts, changes, difference
from emovid_assets.tables.release import RELEASE_CLIPS
from emovid_assets_tests.release.planted_releases import clip, table_of

NAN = float("nan")
numbers = st.sampled_from([0.0, -0.0, 0.1, 0.1 + 2**-55, 1.0, NAN, math.inf])
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "emotion": st.sampled_from(["fear", "awe"]),
    "caption": st.sampled_from([None, "", "null", "It's \"here\"; {'a': 1}", "二行\nzwei"]),
    "brightness": st.none() | numbers,
    "valence": numbers,
    "human_agree_count": st.sampled_from([None, 0, 3]),
    "is_colour_tagged": st.booleans(),
    "hash_times_s": st.none() | st.lists(numbers, max_size=2),
    "picture_hashes": st.sampled_from([None, [], ["a"], ["a", "b"], ["a, b"]]),
    "file_name": st.sampled_from([None, "movie/x.mp4", "movie/x.webm"]),
}
rows_by_clip = st.dictionaries(
    st.sampled_from(["movie-a", "movie-b", "sticker-c", "sticker-d"]), st.fixed_dictionaries(OPTIONS)
)


def table(rows: Mapping[str, Mapping[str, Any]], without: Sequence[str] = ()) -> pa.Table:
    made = table_of([clip(name, domain=name.partition("-")[0], **facts) for name, facts in rows.items()])
    kept = ("clip_id", "domain", "permission", "first_frame_path", *OPTIONS)
    return made.select([name for name in made.column_names if name in kept and name not in without])


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and bool(a == b)


def expected(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]], order: Sequence[str]
) -> list[tuple[str, str, str | None]]:
    found: list[tuple[str, str, str | None]] = []
    for name in sorted({*before, *after}):
        if name not in before:
            found.append((name, "added", None))
        elif name not in after:
            found.append((name, "removed", None))
        else:
            differing = [one for one in OPTIONS if not same(before[name].get(one), after[name].get(one))]
            found += [(name, "changed", one) for one in sorted(differing, key=order.index)]
    return found


def told(found: pa.Table) -> list[tuple[str, str, str | None]]:
    return [(row["clip_id"], row["change"], row["column_name"]) for row in found.to_pylist()]


@settings(deadline=None, max_examples=30)
@given(rows_by_clip, rows_by_clip)
def test_changes_are_those_of_dictionaries(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = changes(table(before), table(after))
    assert found.schema == CHANGES
    assert told(found) == expected(before, after, RELEASE_CLIPS.column_names)
    for row in found.to_pylist():
        if row["change"] == "changed":
            values = before[row["clip_id"]][row["column_name"]], after[row["clip_id"]][row["column_name"]]
            assert [text is None for text in (row["before"], row["after"])] == [value is None for value in values]
            assert row["before"] != row["after"]


@settings(deadline=None, max_examples=20)
@given(rows_by_clip, rows_by_clip, st.sampled_from(["caption", "brightness", "picture_hashes", "emotion"]))
def test_a_column_that_one_side_lacks_is_null_there(before: dict[str, Any], after: dict[str, Any], lost: str) -> None:
    without = {name: {**facts, lost: None} for name, facts in before.items()}
    order = RELEASE_CLIPS.column_names
    found = difference(table(before, [lost]), table(after))
    assert told(found.changes) == expected(without, after, order)
    assert (found.columns_added, found.columns_removed) == ((lost,), ())
    assert lost not in found.columns
    back = difference(table(after), table(before, [lost]))
    assert (back.columns_added, back.columns_removed) == ((), (lost,))
    # What is gone comes last.
    there = [name for name in order if name != lost]
    assert told(back.changes) == expected(after, without, [*there, lost])


@settings(deadline=None, max_examples=20)
@given(rows_by_clip)
def test_nothing_differs_from_itself_in_whatever_order(rows: dict[str, Any]) -> None:
    here = table(rows)
    found = difference(here, here.sort_by([("clip_id", "descending")]))
    assert found.is_none
    assert found.total == Counts(before=len(rows), after=len(rows))


@settings(deadline=None, max_examples=30)
@given(rows_by_clip, rows_by_clip)
def test_counts_are_those_of_the_changes(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = difference(table(before), table(after))
    both = before.keys() & after.keys()
    for domain in ("movie", "sticker"):
        in_domain = {name for name in {*before, *after} if name.startswith(domain)}
        assert found.domains[domain] == Counts(
            before=len(in_domain & before.keys()),
            added=len(in_domain & after.keys() - before.keys()),
            removed=len(in_domain & before.keys() - after.keys()),
            changed=sum(any(not same(before[n][c], after[n][c]) for c in OPTIONS) for n in in_domain & both),
            after=len(in_domain & after.keys()),
        )
    for name in OPTIONS:
        values = [(before[one][name], after[one][name]) for one in both]
        counts = ColumnCounts(
            altered=sum(a is not None and b is not None and not same(a, b) for a, b in values),
            filled=sum(a is None and b is not None for a, b in values),
            emptied=sum(a is not None and b is None for a, b in values),
        )
        assert found.columns.get(name, ColumnCounts()) == counts
    moves = Counter((before[n]["emotion"], after[n]["emotion"]) for n in both)
    assert found.emotions == {move: count for move, count in moves.items() if move[0] != move[1]}
    files = [(before[n]["file_name"], after[n]["file_name"]) for n in both]
    assert found.media_given == sum(a is None and b is not None for a, b in files)
    assert found.media_withdrawn == sum(a is not None and b is None for a, b in files)


def test_values_are_told_as_texts() -> None:
    facts = {"brightness": 0.1, "picture_hashes": ["a"], "is_colour_tagged": True, "human_agree_count": 2}
    before, after = table({"movie-a": facts}), table({"movie-a": {**dict.fromkeys(facts), "is_colour_tagged": False}})
    rows = {row["column_name"]: (row["before"], row["after"]) for row in changes(before, after).to_pylist()}
    assert rows == {
        "brightness": ("0.1", None),
        "picture_hashes": ("[a]", None),
        "is_colour_tagged": ("true", "false"),
        "human_agree_count": ("2", None),
    }


def test_a_column_of_another_type_is_compared_as_text_and_told() -> None:
    before = table({"movie-a": {"human_agree_count": 2}, "movie-b": {"human_agree_count": 3}})
    at = before.schema.get_field_index("human_agree_count")
    after = before.set_column(at, "human_agree_count", pa.array(["2", "two"]))
    found = difference(before, after)
    assert found.columns_retyped == ("human_agree_count",)
    assert told(found.changes) == [("movie-b", "changed", "human_agree_count")]


def test_of_two_tiers_it_is_no_change_that_one_holds_no_files() -> None:
    facts = {"file_name": "movie/a.mp4", "first_frame_path": "first_frames/a.png", "permission": "full"}
    full, metadata = table({"movie-a": facts}), table({"movie-a": {"permission": "full"}})
    assert difference(full, metadata, is_same_tier=False).is_none
    assert difference(full, metadata).media_withdrawn == 1
    assert difference(full, metadata).frames_withdrawn == 1
    less = table({"movie-a": {"permission": "metadata"}})
    assert difference(metadata, less, is_same_tier=False).media_withdrawn == 1
    assert difference(less, full, is_same_tier=False).media_given == 1
    # A file and its permission are one medium.
    assert difference(less, full).media_given == 1


@pytest.mark.parametrize("ids", [["a", "a"], ["a", None]])
def test_rows_that_cannot_be_told_apart_are_refused(ids: list[str | None]) -> None:
    rows = pa.table({"clip_id": pa.array(ids, pa.string()), "domain": ["movie", "movie"]})
    with pytest.raises(ValueError, match="cannot be told apart"):
        changes(rows, rows)


def test_tables_of_ids_alone_are_compared() -> None:
    before, after = pa.table({"clip_id": ["a", "b"]}), pa.table({"clip_id": ["b", "c"]})
    assert told(changes(before, after)) == [("a", "removed", None), ("c", "added", None)]
