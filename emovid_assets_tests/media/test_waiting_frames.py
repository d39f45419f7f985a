"""How many pictures the scan holds at once: so many as it says, however long a film or a shot is.

Films are handed to the scan as pictures, without a file: what is counted are frames that are alive.
"""

from fractions import Fraction

import av
import pytest

from emovid_assets.core.video import reading, scan
from emovid_assets.core.video.changes import Change
from emovid_assets.core.video.scan import ScanSettings, scan_source
from emovid_assets.core.video.scenes import MAX_RATE_FACTOR, CutDetector
from emovid_assets.core.video.streams import Tracks
from emovid_assets_tests.media.making import scenery
from emovid_assets_tests.media.scanning import ADAPTIVE, CONTENT, SOURCE_ID

RATE_HZ = 10
LONGEST_S = 30
LOOK_BACK = 15
"""How many frames later than a cut the content detector may name it, at the nominal rate."""
PASSING = 3
"""Frames in the hands of the walk: the one that comes, the one that goes, the one that came last."""


class Alive:
    """The most frames, and the most frames with a picture, that were there at once."""

    def __init__(self):
        self.frames = self.pictures = self.most_frames = self.most_pictures = 0

    def add(self, frame, change):
        self.frames += change
        self.pictures += change * (frame.picture is not None)
        self.most_frames = max(self.most_frames, self.frames)
        self.most_pictures = max(self.most_pictures, self.pictures)


@pytest.fixture
def alive(monkeypatch):
    alive = Alive()

    class Counted(reading.Frame):
        def __init__(self, *values):
            super().__init__(*values)
            alive.add(self, 1)

        def __del__(self):
            alive.add(self, -1)

    monkeypatch.setattr(reading, "Frame", Counted)
    return alive


@pytest.fixture
def scanned(monkeypatch, tmp_path):
    """Scans a film of so many frames, one a tick; `scene_of` says which scene a frame is of."""

    def scanned(count, tick, *, scene_of=lambda index: 0, stride=1, whole=False, detector=ADAPTIVE, least_s=0.2):
        class Drawn:
            def __init__(self, path, tracks):
                pass

            def nominal_rate(self):
                return Fraction(RATE_HZ)

            def frames(self):
                for index in range(count):
                    picture = av.VideoFrame.from_ndarray(scenery(scene_of(index), index, 16, 16), "rgb24")
                    picture.pts, picture.time_base = index, tick
                    yield reading.Frame(index, index, 1, picture)

        monkeypatch.setattr(scan, "Video", Drawn)
        settings = ScanSettings(detector, stride, least_s, LONGEST_S, whole)
        return scan_source(tmp_path / "film", Tracks(0, None), SOURCE_ID, settings, tmp_path)["segments"]

    return scanned


def later_half(count):
    """So many of the samples wait until it is known which one is in the middle."""
    return count // 2 + 1


def test_a_shot_longer_than_any_clip_holds_no_more_pictures_than_the_longest_clip(alive, scanned):
    (segment,) = scanned(600, Fraction(1, RATE_HZ), whole=True)
    assert segment["drop_reason"] == "too_long"
    # Every frame is a sample here.
    assert alive.most_pictures <= later_half(LONGEST_S * RATE_HZ) + PASSING


def test_large_pictures_do_not_wait_for_the_middle_one_to_be_known(alive, scanned, monkeypatch):
    monkeypatch.setattr(scan, "HELD_BYTES", 0)
    (segment,) = scanned(200, Fraction(1, RATE_HZ), whole=True, least_s=0.0)
    assert segment["drop_reason"] is None
    assert alive.most_pictures <= 1 + PASSING


def test_frames_that_wait_for_a_cut_keep_their_picture_only_where_they_may_be_samples(alive, scanned):
    (segment,) = scanned(280, Fraction(1, RATE_HZ), stride=20, detector=CONTENT)
    assert segment["drop_reason"] is None
    assert alive.most_frames >= LOOK_BACK
    assert alive.most_pictures <= later_half(280 // 20) + 1 + PASSING


def test_a_place_where_no_cut_can_be_any_more_makes_no_sample(alive, scanned):
    # A new scene with every seventh frame: each may be a cut until it has left the line.
    scanned(280, Fraction(1, RATE_HZ), scene_of=lambda index: index // 7, stride=20, detector=CONTENT)
    assert alive.most_pictures <= later_half(280 // 20) + 1 + PASSING + LOOK_BACK // 7


def test_frames_that_come_faster_than_any_film_wait_for_a_bounded_number_of_others(alive, scanned):
    (segment,) = scanned(1200, Fraction(1, 1_000_000), stride=20, detector=CONTENT, least_s=0.0)
    assert segment["drop_reason"] is None
    assert alive.most_frames <= MAX_RATE_FACTOR * LOOK_BACK + later_half(1200 // 20) + PASSING


@pytest.mark.parametrize("tick", [Fraction(1, RATE_HZ), Fraction(1, 1_000_000)])
def test_stamps_are_forgotten_that_no_cut_can_name(tick):
    detector = CutDetector(CONTENT, 256, lambda: Fraction(RATE_HZ), tick)
    for index in range(1000):
        detector.process(index, index, Change(0, 0, 0))
    assert len(detector._index_of_ticks) <= MAX_RATE_FACTOR * LOOK_BACK
