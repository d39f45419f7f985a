"""The judges of the benchmarks: pairing of cuts, nearest frames, tables put into documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cuts import Count, nearest, score
from benchmarks.measuring import fill, geometric_mean, table

FRAMES = st.lists(st.integers(0, 60), unique=True)


def test_each_cut_is_paired_once_however_many_lie_near_it():
    assert score([9, 10, 11], [10], 1) == Count(hit=1, reported=3, real=1)
    assert score([10, 11], [10, 11, 12], 1) == Count(hit=2, reported=2, real=3)


@given(FRAMES, FRAMES)
def test_without_tolerance_the_hits_are_the_frames_in_common(reported, real):
    assert score(reported, real, 0).hit == len(set(reported) & set(real))


@given(FRAMES, FRAMES, st.integers(0, 3))
def test_scores_do_not_depend_on_who_reports_and_grow_with_the_tolerance(one, other, tolerance):
    hit = score(one, other, tolerance).hit
    assert hit == score(other, one, tolerance).hit
    assert hit <= score(one, other, tolerance + 1).hit


def test_no_cuts_to_find_and_none_reported_have_no_f1():
    assert score([], [], 1).f1 != score([], [], 1).f1
    assert score([5], [], 1).f1 == 0


def test_a_rounded_time_means_the_nearest_frame():
    times = [0.0, 0.0417, 0.0833, 0.125]
    assert [nearest(time, times) for time in (0.04, 0.08, 0.06, 9.0, -1.0)] == [1, 2, 1, 3, 0]


def test_tables_are_put_between_their_marks_and_nothing_else_moves(tmp_path):
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- a -->\nold\n<!-- /a -->\nafter\n", encoding="utf-8")
    fill(document, "a", table(["file", "ratio"], [["x", 1.234]]))
    text = document.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- a -->\n| file | ratio |\n| --- | --: |\n| x | 1.23 |\n")
    assert text.endswith("<!-- /a -->\nafter\n")
    with pytest.raises(ValueError, match="has no place for 'b'"):
        fill(document, "b", "")


def test_the_geometric_mean_is_the_root_of_the_product():
    assert geometric_mean([0.5, 2.0, 4.0]) == pytest.approx(4 ** (1 / 3))
