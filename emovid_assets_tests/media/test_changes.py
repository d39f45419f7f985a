"""Changes between frames: the same as PySceneDetect's, kept from one pass to the next."""

from fractions import Fraction
from itertools import pairwise
from unittest import mock

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode, detect
from scenedetect.common import Timecode

from emovid_assets.core.video.changes import Change, ChangeMeter, Shrinker, read_changes, write_changes
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.rgb import RgbConverter
from emovid_assets.core.video.scenes import CutDetector
from emovid_assets_tests.media.making import scenery, write_video
from emovid_assets_tests.media.scanning import ADAPTIVE, CONTENT, cut_frames, scan

LENGTHS = (100, 61, 130, 99, 110)
PIXELS = 1000


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    frames = [scenery(scene, index) for scene, length in enumerate(LENGTHS) for index in range(length)]
    return write_video(tmp_path_factory.mktemp("film") / "film.mov", frames)


def noise(width, height, seed):
    """A picture with detail at every scale, as no codec likes it and every resampling shows it."""
    random = np.random.default_rng(seed)
    return cv2.GaussianBlur(random.integers(0, 256, (height, width, 3), np.uint8), (5, 5), 1.0)


@pytest.mark.parametrize(
    ("width", "height", "pix_fmt"),
    [
        (448, 252, "yuv420p"),
        (768, 432, "yuv420p"),
        (1280, 720, "yuv420p"),
        (850, 478, "yuv420p"),
        (642, 642, "yuv420p"),
        (200, 120, "yuv420p"),
        (768, 432, "yuvj420p"),
        (640, 360, "yuv444p"),
        (1280, 720, "yuv420p10le"),
    ],
)
def test_the_small_picture_is_what_pyscenedetect_would_look_at(tmp_path, width, height, pix_fmt):
    frames = [noise(width, height, seed) for seed in range(3)]
    codec = "mjpeg" if pix_fmt == "yuvj420p" else "ffv1"
    path = write_video(tmp_path / "film.mkv", frames, codec=codec, pix_fmt=pix_fmt)
    shrink = None
    for frame in Video(path).frames():
        shrink = shrink or Shrinker(frame.picture, RgbConverter())
        expected = frame.picture.to_ndarray(format="bgr24")
        if width > 256:
            factor = max(width, height) / 256
            size = (round(width / factor), round(height / factor))
            expected = cv2.resize(expected, size, interpolation=cv2.INTER_LINEAR)
        assert np.array_equal(shrink(frame.picture)[..., :3], expected)


def test_changes_are_the_sums_of_pyscenedetects_components(tmp_path):
    frames = [noise(320, 180, seed) for seed in range(4)]
    path = write_video(tmp_path / "film.mkv", frames, codec="ffv1", pix_fmt="bgr0")
    meter, measured = None, []
    for frame in Video(path).frames():
        meter = meter or ChangeMeter(Shrinker(frame.picture, RgbConverter()))
        measured.append(meter.measure(frame.picture))
    hsv = [cv2.cvtColor(cv2.resize(f[..., ::-1], (256, 144)), cv2.COLOR_BGR2HSV).astype(int) for f in frames]
    expected = [np.abs(b - a).sum(axis=(0, 1)).tolist() for a, b in pairwise(hsv)]
    assert [list(change) for change in measured] == [[0, 0, 0], *expected]


class Upstream:
    """PySceneDetect asked for every single frame, with the scores given."""

    def __init__(self, detector_class, **options):
        class Scored(detector_class):
            def _calculate_frame_score(self, timecode, frame_img):
                return frame_img

        self.detector = Scored(**options)

    def cuts(self, scores, pts, time_base, rate):
        found = []
        for at, score in zip(pts, scores, strict=True):
            code = FrameTimecode(Timecode(pts=at - pts[0], time_base=time_base), fps=rate)
            found += [pts.index(cut.pts + pts[0]) for cut in self.detector.process_frame(code, score)]
        return found


scores_of_a_film = st.lists(
    st.one_of(st.integers(0, 8), st.integers(0, 120), st.sampled_from([0, 15, 27, 45, 200])), min_size=1, max_size=150
)


def leaping(*places):
    """Scores of a film that stands still but where it leaps."""
    return [200 * (index in places) for index in range(60)]


@example(leaping(20, 34), 0, Fraction(25)).via("a scene a frame too short")
@example(leaping(20, 35), 0, Fraction(25)).via("the shortest scene")
@example(leaping(14, 40), 0, Fraction(25)).via("a first scene a frame too short")
@given(scores_of_a_film, st.integers(0, 5000), st.sampled_from([Fraction(25), Fraction(30000, 1001), Fraction(10)]))
def test_asking_the_detectors_only_when_they_could_answer_changes_no_cut(scores, start, rate):
    time_base = Fraction(1, 1000)
    pts = [start + round(index * 1000 / rate) for index in range(len(scores))]
    changes = [Change(score * PIXELS, score * PIXELS, score * PIXELS) for score in scores]
    means = [float((s + s + s) / 3.0) for s in scores]
    for settings, upstream in (
        (ADAPTIVE, Upstream(AdaptiveDetector, adaptive_threshold=3.0, min_content_val=15.0, min_scene_len=15)),
        (CONTENT, Upstream(ContentDetector, threshold=27.0, min_scene_len=15)),
    ):
        detector = CutDetector(settings, PIXELS, lambda rate=rate: rate, time_base)
        ours = list(detector.cuts(zip(pts, changes, strict=True)))
        assert ours == upstream.cuts(means, pts, time_base, rate)


@pytest.mark.parametrize(("scores", "asked"), [([40] * 50, 0), ([40] * 20 + [200] + [40] * 29, 1)])
def test_a_film_whose_grain_differs_from_frame_to_frame_asks_the_adaptive_detector_where_one_stands_out(scores, asked):
    detector = CutDetector(ADAPTIVE, PIXELS, lambda: Fraction(25), Fraction(1, 25))
    upstream = detector._decide.detector
    with mock.patch.object(upstream, "process_frame", wraps=upstream.process_frame) as process:
        cuts = list(detector.cuts((at, Change(*[score * PIXELS] * 3)) for at, score in enumerate(scores)))
    assert process.call_count == asked
    assert cuts == [20] * asked


@pytest.mark.parametrize("detector", [ADAPTIVE, CONTENT], ids=["adaptive", "content"])
def test_a_pass_with_kept_changes_gives_what_a_pass_without_gives(film, tmp_path, detector):
    kept = tmp_path / "changes.npy"
    for stride, minimum in ((20, 4.0), (7, 4.0), (20, 1.0)):
        fresh = scan(film, detector=detector, stride=stride, minimum=minimum)
        assert scan(film, detector=detector, stride=stride, minimum=minimum, changes=kept) == fresh
        # From the second round on the changes are there.
        assert scan(film, detector=detector, stride=stride, minimum=minimum, changes=kept) == fresh


def test_a_pass_with_kept_changes_does_not_compare_frames_again(film, tmp_path):
    kept = tmp_path / "changes.npy"
    scan(film, changes=kept)
    pts, changes = read_changes(kept)
    planted = [Change(10**6, 10**6, 10**6) if index == 50 else Change(0, 0, 0) for index in range(len(changes))]
    write_changes(kept, pts, planted)
    assert cut_frames(scan(film, changes=kept, stride=10)) == [50]


def test_kept_changes_of_other_frames_are_measured_anew(film, tmp_path):
    kept = tmp_path / "changes.npy"
    fresh = scan(film)
    for wrong in ([(0, Change(0, 0, 0))], [(index * 7, Change(9, 9, 9)) for index in range(600)]):
        write_changes(kept, *zip(*wrong, strict=True))
        assert scan(film, changes=kept) == fresh
        assert len(read_changes(kept)[0]) == sum(LENGTHS)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY torn", b"not an array at all"])
def test_kept_changes_that_cannot_be_read_are_no_error(film, tmp_path, content):
    kept = tmp_path / "changes.npy"
    kept.write_bytes(content)
    assert read_changes(kept) is None
    assert cut_frames(scan(film, changes=kept)) == [100, 161, 291, 390]


def grey_film(path, tint):
    """Four scenes of one tint whose cuts change the brightness by 40 of 255: 13 on the scale of three components."""
    frames = []
    for scene, level in enumerate((60, 100, 60, 100)):
        texture = np.random.default_rng(scene).integers(-10, 11, (48, 64))
        for index in range(110):
            value = (level + np.roll(texture, index, axis=1))[..., None] / 255
            frames.append(np.round(value * np.array(tint)).astype(np.uint8))
    return write_video(path, frames)


@pytest.mark.parametrize("tint", [(255, 255, 255), (255, 220, 170)], ids=["grey", "sepia"])
@pytest.mark.parametrize("detector", [ADAPTIVE, CONTENT], ids=["adaptive", "content"])
def test_a_film_without_colour_is_cut_by_its_brightness_alone(tmp_path, tint, detector):
    path = grey_film(tmp_path / "film.mov", tint)
    assert cut_frames(scan(path, detector=detector)) == []
    kept = tmp_path / "changes.npy"
    first = scan(path, detector=detector, changes=kept, detects_grey_films=True)
    assert cut_frames(first) == [110, 220, 330]
    assert scan(path, detector=detector, changes=kept, detects_grey_films=True) == first
    upstream = AdaptiveDetector if detector is ADAPTIVE else ContentDetector
    scenes = detect(str(path), upstream(luma_only=True))
    assert [start.frame_num for start, _ in scenes][1:] == [110, 220, 330]


@pytest.mark.parametrize("detector", [ADAPTIVE, CONTENT], ids=["adaptive", "content"])
def test_a_film_with_colour_keeps_all_three_components(film, detector):
    assert scan(film, detector=detector, detects_grey_films=True) == scan(film, detector=detector)
