"""Emotional transitions: which pairs of clips count, against a loop in Python."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import label

Scene = tuple[bool, str | None]
"""Whether the segment is kept, and its label."""


def _plant(library: Library, sources: dict[str, list[Scene]]) -> None:
    library.clear()
    for domain in {name.split("-")[0] for name in sources}:
        segments, labels = [], []
        for source_id, scenes in sources.items():
            if not source_id.startswith(domain):
                continue
            for index, (is_kept, emotion) in enumerate(scenes):
                clip_id = f"{source_id}-{index}"
                segments.append(
                    {
                        "domain": domain,
                        "source_id": source_id,
                        "clip_id": clip_id,
                        "scene_index": index,
                        "is_kept": is_kept,
                    }
                )
                if emotion is not None and is_kept:
                    labels.append(label(clip_id, domain, emotion))
        library.plant("segments", segments)
        library.plant("emotion_labels", labels)


def _counts(library: Library, kind: str) -> dict[tuple[str, str], int]:
    rows = library.query(f"from emotion_transitions where kind = '{kind}' and transition_count > 0")
    return {(row["from_emotion"], row["to_emotion"]): row["transition_count"] for row in rows}


def test_neighbours_count_in_both_kinds(library: Library) -> None:
    _plant(library, {"movie-1": [(True, "fear"), (True, "fear"), (True, "anger")]})
    expected = {("fear", "fear"): 1, ("fear", "anger"): 1}
    assert (_counts(library, "strict"), _counts(library, "bridged")) == (expected, expected)


def test_a_dropped_segment_between_two_clips_is_bridged_only(library: Library) -> None:
    _plant(library, {"movie-1": [(True, "fear"), (False, None), (True, "anger")]})
    assert (_counts(library, "strict"), _counts(library, "bridged")) == ({}, {("fear", "anger"): 1})


def test_a_kept_clip_without_a_label_breaks_the_chain_in_both_kinds(library: Library) -> None:
    _plant(library, {"movie-1": [(True, "fear"), (True, None), (True, "anger")]})
    assert (_counts(library, "strict"), _counts(library, "bridged")) == ({}, {})


def test_no_pair_spans_two_source_videos(library: Library) -> None:
    _plant(library, {"movie-1": [(True, "fear")], "movie-2": [(True, "anger")]})
    assert _counts(library, "bridged") == {}


def test_only_movies_count(library: Library) -> None:
    _plant(library, {"animation-1": [(True, "fear"), (True, "anger")]})
    assert _counts(library, "bridged") == {}


scenes = st.tuples(st.booleans(), st.none() | st.sampled_from(EMOTION_NAMES))


@given(st.lists(st.lists(scenes, min_size=1, max_size=12), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_matrix_is_that_of_a_loop_and_its_rows_sum_to_one(library: Library, films: list[list[Scene]]) -> None:
    _plant(library, {f"movie-{number}": film for number, film in enumerate(films)})
    expected: dict[str, Counter[tuple[str, str]]] = {"strict": Counter(), "bridged": Counter()}
    for film in films:
        kept = [(index, emotion) for index, (is_kept, emotion) in enumerate(film) if is_kept]
        for (here, emotion), (there, following) in pairwise(kept):
            if emotion and following:
                expected["bridged"][emotion, following] += 1
                expected["strict"][emotion, following] += there == here + 1
    rows = library.query("from emotion_transitions")
    assert len(rows) == 2 * 8 * 8
    for kind, counts in expected.items():
        mine = [row for row in rows if row["kind"] == kind]
        assert {(r["from_emotion"], r["to_emotion"]): r["transition_count"] for r in mine if r["transition_count"]} == {
            pair: count for pair, count in counts.items() if count
        }
        for emotion in EMOTION_NAMES:
            row = [cell for cell in mine if cell["from_emotion"] == emotion]
            total = sum(cell["transition_count"] for cell in row)
            assert {cell["from_count"] for cell in row} == {total}
            if total:
                assert sum(cell["probability"] for cell in row) == pytest.approx(1)
            else:
                assert {cell["probability"] for cell in row} == {None}
