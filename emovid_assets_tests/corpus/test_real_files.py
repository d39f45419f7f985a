"""The whole media core on real films, animations and stickers, against PySceneDetect and the float64 reference.

Each file is decoded once per detector by us, once by the reference and once by PySceneDetect.
"""

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scenedetect import AdaptiveDetector, ContentDetector

from emovid_assets.core.video.clip_file import write_clip
from emovid_assets.core.video.errors import MediaError
from emovid_assets_tests.conftest import CORPUS
from emovid_assets_tests.media.judging import colour_faults, cuts_of_pyscenedetect, frames_for_reference
from emovid_assets_tests.media.making import pixels_of
from emovid_assets_tests.media.scanning import CONTENT, cut_frames, probe, scan

pytestmark = [pytest.mark.corpus, pytest.mark.integration]


def media(*domains):
    files = [path for domain in domains for path in sorted((CORPUS / domain).glob("*")) if CORPUS.is_dir()]
    return [pytest.param(path, id=path.name) for path in files]


STILL = "anger__phpbb_icon_mad.gif"
"""A sticker of one frame: rightly no video."""
MOVIES = media("movie")
BUNNIES = [case for case in media("animation") if "big_buck_bunny" in case.id]


theirs = cache(cuts_of_pyscenedetect)


@pytest.fixture(scope="module")
def scanned(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("thumbnails")

    @cache
    def of(path: Path):
        facts = probe(path)
        is_whole = path.parent.name != "movie" and facts.duration_s <= 30
        return facts, scan(path, whole=is_whole, tracks=facts.tracks, thumbnails=folder)

    return of


def test_a_sticker_of_one_frame_is_refused(corpus):
    with pytest.raises(MediaError) as caught:
        probe(corpus / "sticker" / STILL)
    assert caught.value.code == "single_image"


@pytest.mark.parametrize("path", [case for case in media("movie", "animation", "sticker") if case.id != STILL])
def test_colours_of_every_clip_are_the_float64_definition(scanned, path):
    facts, result = scanned(path)
    assert result["frame_count"] == facts.frame_count
    assert colour_faults(path, result) == {}


@pytest.mark.parametrize("path", MOVIES + BUNNIES)
def test_adaptive_cuts_are_those_of_pyscenedetect(scanned, path):
    _, result = scanned(path)
    assert cut_frames(result) == theirs(path)[AdaptiveDetector]


@pytest.mark.parametrize("path", MOVIES + BUNNIES)
def test_content_cuts_are_those_of_pyscenedetect(scanned, path):
    facts, _ = scanned(path)
    ours = scan(path, detector=CONTENT, tracks=facts.tracks)
    assert cut_frames(ours) == theirs(path)[ContentDetector]


def test_the_chain_of_segments_covers_every_film_without_gap(scanned):
    for case in MOVIES:
        facts, result = scanned(case.values[0])
        segments = result["segments"]
        assert segments[0]["start_s"] == 0
        assert segments[-1]["end_frame"] == facts.frame_count
        assert segments[-1]["end_s"] == pytest.approx(facts.duration_s)
        for before, after in pairwise(segments):
            assert (before["end_frame"], before["end_s"]) == (after["start_frame"], after["start_s"])


@pytest.mark.parametrize("name", ["sintel_film_excerpt_848x480_25fps.mp4", "tears_of_steel_battle_clip_800x332.webm"])
def test_the_file_of_a_real_clip_begins_and_ends_with_the_right_frame(corpus, scanned, tmp_path, name):
    path = corpus / "movie" / name
    facts, result = scanned(path)
    kept = [segment for segment in result["segments"] if segment["is_kept"] and segment["start_frame"] > 0]
    segment = min(kept, key=lambda segment: segment["duration_s"])
    asked = {**segment, "video_start_s": result["video_start_s"]}
    suffix = write_clip(path, facts.tracks, asked, tmp_path / "clip").suffix
    first, last = segment["start_frame"], segment["end_frame"] - 1
    written = pixels_of(tmp_path / f"clip{suffix}")
    assert len(written) == last - first + 1
    around = {*range(max(0, first - 2), first + 3), *range(last - 2, last + 3)}
    source = dict(frames_for_reference(path, around))
    for at, pixels in ((first, written[0]), (last, written[-1])):
        distance = {index: np.abs(pixels.astype(int) - rgb).mean() for index, rgb in source.items()}
        assert min(distance, key=distance.get) == at
        assert distance[at] < 4
