"""The media pass on drawn films of many containers; `corpus` asks the same of real ones.

Each is cut where its scenes begin, and where PySceneDetect cuts; its colours are those of the float64 definition.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from scenedetect import AdaptiveDetector, ContentDetector

from emovid_assets_tests.media.films import FILMS, Film
from emovid_assets_tests.media.judging import colour_faults, cuts_of_pyscenedetect
from emovid_assets_tests.media.scanning import CONTENT, cut_frames, probe, scan

Scanned = tuple[Film, Path, dict[str, Any]]


@pytest.fixture(scope="module", params=FILMS, ids=lambda film: film.name)
def scanned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    film: Film = request.param
    path = film.write(tmp_path_factory.mktemp("film") / film.name)
    return film, path, scan(path, whole=film.is_whole, tracks=probe(path).tracks)


def test_a_film_is_cut_where_its_scenes_begin_and_others_cut_it(scanned: Scanned) -> None:
    film, path, found = scanned
    assert cut_frames(found) == list(film.cuts)
    if not film.is_whole:
        theirs = cuts_of_pyscenedetect(path)
        assert theirs[AdaptiveDetector] == list(film.cuts)
        by_content = scan(path, detector=CONTENT, tracks=probe(path).tracks)
        assert cut_frames(by_content) == theirs[ContentDetector]


def test_colours_of_every_clip_are_the_float64_definition(scanned: Scanned) -> None:
    _, path, found = scanned
    assert colour_faults(path, found) == {}


def test_the_chain_of_segments_covers_a_film_without_gap(scanned: Scanned) -> None:
    _, path, found = scanned
    facts, segments = probe(path), found["segments"]
    assert found["frame_count"] == facts.frame_count == segments[-1]["end_frame"]
    assert segments[0]["start_s"] == 0
    assert segments[-1]["end_s"] == pytest.approx(facts.duration_s)
    for before, after in pairwise(segments):
        assert (before["end_frame"], before["end_s"]) == (after["start_frame"], after["start_s"])
