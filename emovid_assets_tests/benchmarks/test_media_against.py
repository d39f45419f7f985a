"""Two trees of the product run their media pass in turn, each by its own code and signature."""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import media_against
from benchmarks.media_against import ROOT, Compared, against_table, compare
from emovid_assets_tests.media.making import scenery, write_video


def test_a_pass_is_told_the_tracks_of_a_file_or_the_index_that_they_have_taken_the_place_of(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from benchmarks.media_pass import tracks_of

    tracks = object()
    assert tracks_of(SimpleNamespace(stream_index=2)) == 2
    assert tracks_of(SimpleNamespace(tracks=tracks)) is tracks


def test_both_trees_pass_over_a_film_in_processes_of_their_own(tmp_path, monkeypatch):
    other = tmp_path / "tree"
    other.symlink_to(ROOT)

    @contextmanager
    def tree_of(commit):
        yield other

    monkeypatch.setattr(media_against, "tree_of", tree_of)
    film = write_video(
        tmp_path / "film.mp4",
        [scenery(index // 30, index) for index in range(60)],
        codec="libx264",
        pix_fmt="yuv420p",
    )
    (found,) = compare([film], film, "a commit", repeats=1)
    assert len(found.before_s) == len(found.now_s) == 1
    assert found.before_s[0] > 0
    assert found.is_cut_alike


def test_the_program_of_another_tree_is_not_taken_for_the_one_that_is_asked_for(tmp_path):
    film = write_video(tmp_path / "film.mp4", [scenery(0, n) for n in range(5)], codec="libx264", pix_fmt="yuv420p")
    with pytest.raises(RuntimeError, match="ran in place of that of"):
        media_against._pass(tmp_path, film, film)


def test_ratios_are_medians_of_pairs_and_the_mean_leaves_out_the_film_that_was_made_for_the_run():
    films = [
        Compared(Path("a.mp4"), [1.0, 10.0, 2.0], [2.0, 11.0, 4.0], True),
        Compared(Path("b.mp4"), [4.0], [2.0], False),
        Compared(Path("noisy.mp4"), [1.0], [9.0], True),
    ]
    assert [film.ratio for film in films] == [2.0, 0.5, 9.0]
    assert against_table(films, "90406d2", left_out="noisy.mp4").splitlines() == [
        "| film | 90406d2, CPU s | now, CPU s | now / before | same cuts |",
        "| --- | --: | --: | --: | --- |",
        "| a.mp4 | 2.00 | 4.00 | 2.00 | yes |",
        "| b.mp4 | 4.00 | 2.00 | 0.50 | no |",
        "| noisy.mp4 | 1.00 | 9.00 | 9.00 | yes |",
        "| geometric mean, corpus | — | — | 1.00 |  |",
    ]
