"""The version of a release follows from what has changed, and from nothing else."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emovid_assets.core.release.changes import difference
from emovid_assets.core.release.names import (
    LONGEST_NAME,
    Version,
    dataset_name_fault,
    is_version,
    name_fault,
    version_of,
)
from emovid_assets.core.release.versions import Bump, next_version
from emovid_assets_tests.release.planted_releases import clip, table_of

FACTS: dict[str, Any] = {
    "emotion": "fear",
    "caption": "It rains.",
    "file_name": "movie/a.mp4",
    "first_frame_path": "first_frames/a.png",
    "permission": "full",
    "attribution": "Ann",
    "license": "CC-BY-4.0",
    "license_id": "CC-BY-4.0",
}


def planted(**facts: Any) -> pa.Table:
    return some_columns(table_of([clip("a", **{**FACTS, **facts}), clip("b", **FACTS)]))


def some_columns(rows: pa.Table) -> pa.Table:
    """All of them are asked for nothing here, and take their time."""
    others = ("domain", "clip_id", "frame_count", "split", "valence", "media_sha256", "human_emotion")
    kept = (*others, *FACTS, "permission_reason")
    return rows.select([name for name in rows.column_names if name in kept])


def bump(before: pa.Table, after: pa.Table, *otherwise: str) -> Bump:
    return next_version("1.2.3", difference(before, after), otherwise)


def test_the_first_release_is_one() -> None:
    assert next_version(None, None) == Bump("1.0.0", "first", ())


def test_without_a_difference_there_is_no_new_release() -> None:
    assert bump(planted(), planted()) == Bump("1.2.3", "none", ())


@pytest.mark.parametrize(
    ("facts", "kind", "reason"),
    [
        ({"emotion": "awe"}, "major", "emotion: 1 clip of another value"),
        ({"split": "benchmark"}, "major", "split: 1 clip of another value"),
        ({"caption": None}, "major", "caption: 1 clip without a value now"),
        ({"license": "CC-BY-NC-4.0"}, "major", "license: 1 clip of another value"),
        ({"file_name": None}, "major", "media of 1 clip withdrawn"),
        ({"permission": "metadata"}, "major", "media of 1 clip withdrawn"),
        ({"file_name": None, "permission": "metadata"}, "major", "media of 1 clip withdrawn"),
        ({"first_frame_path": None}, "major", "first frames of 1 clip withdrawn"),
        ({"media_sha256": "b" * 64}, "minor", "media_sha256: 1 clip with a value where there was none"),
        ({"human_emotion": "fear"}, "minor", "human_emotion: 1 clip with a value where there was none"),
        ({"file_name": "movie/a.webm"}, "patch", "file_name: 1 clip written otherwise"),
        ({"attribution": "Ann Other"}, "patch", "attribution: 1 clip written otherwise"),
        ({"attribution": None}, "patch", "attribution: 1 clip written otherwise"),
        ({"license_id": "unknown"}, "patch", "license_id: 1 clip written otherwise"),
        ({"permission_reason": "because"}, "patch", "permission_reason: 1 clip written otherwise"),
    ],
)
def test_what_has_changed_of_a_clip_decides(facts: dict[str, Any], kind: str, reason: str) -> None:
    made = bump(planted(), planted(**facts))
    version = {"major": "2.0.0", "minor": "1.3.0", "patch": "1.2.4"}[kind]
    assert made == Bump(version, kind, (reason,))  # type: ignore[arg-type]


@pytest.mark.parametrize("facts", [{"file_name": None}, {"permission": "metadata"}, {"first_frame_path": None}])
def test_what_is_given_again_is_more(facts: dict[str, Any]) -> None:
    assert bump(planted(**facts), planted()).version == "1.3.0"


def test_clips_and_columns_that_come_are_minor_and_that_go_are_major() -> None:
    more = some_columns(table_of([clip("a", **FACTS), clip("b", **FACTS), clip("c")]))
    assert bump(planted(), more) == Bump("1.3.0", "minor", ("1 clip added",))
    assert bump(more, planted()) == Bump("2.0.0", "major", ("1 clip gone",))
    without = planted().drop_columns(["caption"])
    assert bump(without, planted()) == Bump("1.3.0", "minor", ("column caption is new",))
    assert bump(planted(), without) == Bump("2.0.0", "major", ("column caption is gone",))


def test_a_column_of_another_type_is_major_though_it_says_the_same() -> None:
    at = planted().schema.get_field_index("frame_count")
    other = planted().set_column(at, "frame_count", planted()["frame_count"].cast(pa.float64()))
    assert bump(planted(), other).reasons[0] == "column frame_count is of another type"
    assert bump(planted(), other).kind == "major"


def test_all_reasons_are_told_the_gravest_first_and_the_gravest_decides() -> None:
    after = table_of([clip("a", **{**FACTS, "emotion": "awe", "attribution": "B"}), clip("b", **FACTS), clip("c")])
    made = bump(planted(), some_columns(after), "format 2 in the place of 1")
    assert made.reasons == (
        "emotion: 1 clip of another value",
        "1 clip added",
        "attribution: 1 clip written otherwise",
        "format 2 in the place of 1",
    )
    assert made.version == "2.0.0"


def test_what_only_the_files_show_is_a_patch() -> None:
    assert bump(planted(), planted(), "format 2") == Bump("1.2.4", "patch", ("format 2",))


def test_nothing_is_decided_without_knowing_what_has_changed() -> None:
    with pytest.raises(ValueError, match="must be known"):
        next_version("1.0.0", None)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.sampled_from(["emotion", "caption", "file_name", "attribution", "valence"]), max_size=3), st.data())
def test_a_version_only_grows_and_what_is_undone_is_never_less(columns: list[str], data: st.DataObject) -> None:
    options = {"emotion": "awe", "caption": None, "file_name": None, "attribution": "B", "valence": 0.9}
    after = planted(**{name: options[name] for name in columns})
    last = Version(*data.draw(st.tuples(*[st.integers(0, 99)] * 3)))
    there = next_version(str(last), difference(planted(), after))
    assert (version_of(there.version) > last) == bool(columns)
    assert (there.kind == "none") == (not columns)
    assert bool(there.reasons) == bool(columns)
    back = next_version(there.version, difference(after, planted()))
    assert version_of(back.version) >= version_of(there.version)


@given(st.tuples(*[st.integers(0, 999_999_999)] * 3))
def test_versions_are_ordered_as_numbers(numbers: tuple[int, int, int]) -> None:
    version = Version(*numbers)
    assert version_of(str(version)) == version
    assert name_fault(str(version)) is None


@pytest.mark.parametrize(
    "text", ["1.0", "1.0.0.0", "01.0.0", "1.0.0-rc", "1.0.0+metadata", "v1.0.0", "", "1.0.0\n", "١.0.0"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    assert not is_version(text)
    with pytest.raises(ValueError, match="three numbers"):
        version_of(text)


@pytest.mark.parametrize("name", ["my-emovid", "EmoVid of 2026", " Émotions: 人 ", "Nume\u0301ro", "x" * LONGEST_NAME])
def test_a_dataset_has_a_name_of_one_line(name: str) -> None:
    assert dataset_name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "needs a name"),
        (" \n", "needs a name"),
        ("x" * (LONGEST_NAME + 1), "at most 100"),
        ("Emo\u200bVid", "that nobody sees"),
        ("\x1b[31mEmoVid", "that nobody sees"),
        ("\udcff", "that nobody sees"),
        ("EmoVid of jane@example.org", "holds no address"),
        ("/home/jane/emovid", "holds no address"),
    ],
)
def test_a_name_that_a_release_cannot_show_is_refused(name: str, said: str) -> None:
    fault = dataset_name_fault(name)
    assert fault is not None
    assert said in fault
    assert "jane" not in fault
    assert len(fault) < 200
