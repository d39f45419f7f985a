"""The media pass: one decoding of a source gives its cuts and everything measured on its clips.

Belongs here: the order of things while frames stream by. Does not belong here: formulas (`colour`,
`sound`, `changes`) and what is kept between runs.

Cut detectors decide about a frame a few frames later. Frames therefore wait in a delay line until the
detector can no longer name them (PySceneDetect's `event_buffer_length`); when a frame leaves the line, the
segment that it belongs to is final, so that exactly the clip's frames 0, 20, 40, … are measured.

The changes between frames do not depend on any setting. Where they are kept (`changes_path`), a later pass with
other settings finds its cuts in them and converts no frame but the sampled ones (ADR 11).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.colour import ColourCounter
from emovid_assets.core.identity import clip_id
from emovid_assets.core.placing import put_all
from emovid_assets.core.video.changes import Change, ChangeMeter, Shrinker, read_changes, shrunk_size, write_changes
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.picture import difference_hash, jpeg
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.rgb import RgbConverter, upright
from emovid_assets.core.video.scenes import CutDetector, DetectorSettings, is_without_colour
from emovid_assets.core.video.sound import interval_features, silent_features
from emovid_assets.core.video.stamps import last_duration
from emovid_assets.core.video.streams import ONLY, Tracks

THUMBNAIL_PX = 320
CUT_WINDOW_S = 30.0
"""Cut rhythm is counted within this span around the middle of the clip."""
MISSING_SHARE = 0.05
"""Decoders may drop a frame at a damaged end; more than this is damage."""
HELD_BYTES = 3 << 20
"""Larger pictures are not held until the middle one is known; their thumbnails are made at once."""


@dataclass(frozen=True)
class ScanSettings:
    """What the pass depends on. `is_whole`: the file is one segment, whatever cuts it has. `detects_grey_films`: a film
    without colour is cut by its brightness alone."""

    detector: DetectorSettings
    frame_stride: int
    min_duration_s: float
    max_duration_s: float
    is_whole: bool
    detects_grey_films: bool = False


Watch = Callable[[Frame, np.ndarray], None]
"""Sees each frame as it is decoded, with its pixels as coded and read by its tags: uint8 (height, width, 3 or 4), blue,
green, red and perhaps a fourth channel that means nothing. They stay as they are for as long as the frame does."""


@dataclass(frozen=True)
class _Portrait:
    """What a sampled frame is shown and recognised by: uint8 (height, width, 3) as displayed, null where nobody is
    shown it, and 16 hex digits."""

    thumbnail: np.ndarray | None
    difference_hash: str


class _Portraits:
    """Portraits of the first, the middle and the last of an unknown number of sampled frames.

    A portrait costs more than decoding a small frame. So the later half of the frames is held until it is known
    which one is the middle; large pictures, whose memory would count, are converted at once. `is_shown`: whether
    anybody wants the thumbnail.
    """

    def __init__(self, converter: RgbConverter, shrink: Shrinker, *, is_shown: bool) -> None:
        self._converter = converter
        self._shrink = shrink
        self._is_shown = is_shown
        self._first_hash = ""
        self._held: deque[Frame | _Portrait] = deque()
        self._count = 0

    def add(self, frame: Frame) -> None:
        if not self._count:
            self._first_hash = self._hash(frame)
        is_small = sum(plane.buffer_size for plane in frame.picture.planes) <= HELD_BYTES
        self._held.append(frame if is_small else self._portrait(frame))
        self._count += 1
        while self._count - len(self._held) < self._count // 2:
            self._held.popleft()

    def settle(self) -> tuple[np.ndarray | None, list[str]]:
        """The middle one's thumbnail, and the hashes of the first, the middle and the last."""
        held = self._held[0]
        middle = held if isinstance(held, _Portrait) else self._portrait(held)
        last = middle.difference_hash if len(self._held) == 1 else self._hash(self._held[-1])
        return middle.thumbnail, [self._first_hash, middle.difference_hash, last]

    def _portrait(self, frame: Frame) -> _Portrait:
        shown = _thumbnail(self._converter.rgb(frame.picture), frame.rotation) if self._is_shown else None
        return _Portrait(shown, self._hash(frame))

    def _hash(self, held: Frame | _Portrait) -> str:
        if isinstance(held, _Portrait):
            return held.difference_hash
        return difference_hash(self._shrink(held.picture))


@dataclass
class _OpenSegment:
    """The segment that frames are leaving the delay line into."""

    start_frame: int
    start_pts: int
    start_s: float
    portraits: _Portraits
    waiting: list[Frame] = field(default_factory=list)
    colour: ColourCounter | None = None
    sampled_pts_s: list[float] = field(default_factory=list)
    has_mended_stamps: bool = False


def scan_source(
    path: Path,
    tracks: Tracks,
    source_id: str,
    settings: ScanSettings,
    thumbnail_folder: Path,
    changes_path: Path | None = None,
    *,
    expected_frame_count: int | None = None,
    trim_s: float | None = None,
) -> dict[str, Any]:
    """Segments of a file with the measurements of the kept ones, as plain values; thumbnails are written.

    `changes_path`: where the changes between frames are kept from one pass to the next; they must be of the same
    bytes, and are measured anew where the frames are others. `trim_s`: frames that begin then or later do not count;
    what follows may be an advert. Raises MediaError `corrupt_frames` where a frame cannot be decoded, or more than 5 %
    of the expected ones do not come; those behind `trim_s` are not asked for.
    """
    run, segments = _run(path, tracks, settings, changes_path, trim_s)
    if not run.is_trimmed and expected_frame_count and len(run.pts) < expected_frame_count * (1 - MISSING_SHARE):
        detail = f"The container holds {expected_frame_count} frames, {len(run.pts)} can be decoded"
        raise MediaError("corrupt_frames", detail)
    intervals = [(segment["start_s"], segment["end_s"]) for segment in segments if segment["is_kept"]]
    film = interval_features(path, tracks, intervals, run.video_start_s)
    sounds = iter(film.intervals)
    cut_times = run.cut_times_s() if settings.is_whole else [segment["start_s"] for segment in segments[1:]]
    thumbnails: dict[Path, np.ndarray] = {}
    for number, segment in enumerate(segments):
        segment["scene_index"] = number
        segment["clip_id"] = clip_id(source_id, segment["start_s"], segment["end_s"])
        if not segment["is_kept"]:
            continue
        sound = next(sounds)
        segment["has_audio"], segment["sound_missing_s"] = sound.has_audio, sound.sound_missing_s
        segment["features"] |= sound.features | {"cut_rate_hz": _cut_rate(cut_times, segment, segments[-1]["end_s"])}
        thumbnails[thumbnail_folder / f"{segment['clip_id']}.jpg"] = segment.pop("thumbnail")
    put_all((path, jpeg(rgb)) for path, rgb in thumbnails.items())
    return {
        "segments": segments,
        "frame_count": len(run.pts),
        "video_start_s": run.video_start_s,
        "sound_fault_count": film.fault_count,
    }


def measured_whole(path: Path, settings: ScanSettings, watch: Watch, tracks: Tracks = ONLY) -> dict[str, Any]:
    """The one segment of a file that is measured as a whole, however long it is and whatever cuts it has; `features`
    are those of a clip without sound. Nothing is written.

    `settings` must say `is_whole` and allow any duration. Raises MediaError `corrupt_frames`.
    """
    run = _Scan(path, tracks, settings, watch=watch)
    [segment] = run.segments()
    segment["features"] |= silent_features() | {"cut_rate_hz": _cut_rate(run.cut_times_s(), segment, segment["end_s"])}
    return segment


def _run(
    path: Path, tracks: Tracks, settings: ScanSettings, changes_path: Path | None, trim_s: float | None
) -> tuple["_Scan", list[dict[str, Any]]]:
    known = read_changes(changes_path) if changes_path else None
    if known is not None:
        try:
            return _reread(path, tracks, settings, known, trim_s)
        except _OtherFramesError:
            pass
    run = _Scan(path, tracks, settings, trim_s)
    segments = run.segments()
    if changes_path:
        write_changes(changes_path, run.pts, run.changes)
    if _suited(settings, run.changes) != settings:
        # Known only now: a film without colour is read twice, the first time.
        try:
            return _reread(path, tracks, settings, (run.pts, run.changes), trim_s)
        except _OtherFramesError as error:
            raise MediaError("corrupt_frames", "Reading the file twice gives different frames") from error
    return run, segments


def _reread(
    path: Path, tracks: Tracks, settings: ScanSettings, known: tuple[list[int], list[Change]], trim_s: float | None
) -> tuple["_Scan", list[dict[str, Any]]]:
    run = _Scan(path, tracks, _suited(settings, known[1]), trim_s)
    return run, run.with_known_changes(known)


def _suited(settings: ScanSettings, changes: Sequence[Change]) -> ScanSettings:
    """The settings with the weights that fit the film, where they are to be found out."""
    if settings.detects_grey_films and is_without_colour(changes):
        return replace(settings, detector=replace(settings.detector, luma_only=True))
    return settings


class _OtherFramesError(Exception):
    """The known changes are of other frames: another FFmpeg may decode the same bytes to more or fewer."""


def _cut_rate(cut_times_s: list[float], segment: dict[str, Any], duration_s: float) -> float:
    middle = (segment["start_s"] + segment["end_s"]) / 2
    low, high = max(0.0, middle - CUT_WINDOW_S / 2), min(duration_s, middle + CUT_WINDOW_S / 2)
    count = sum(low < time < high for time in cut_times_s)
    return count / (high - low) if high > low else 0.0


class _Scan:
    """One walk over the frames of one file."""

    def __init__(
        self,
        path: Path,
        tracks: Tracks,
        settings: ScanSettings,
        trim_s: float | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._video = Video(path, tracks)
        self._settings = settings
        self._watch = watch
        self._trim_s = None if trim_s is None else Fraction(str(trim_s))
        self._trimmed_at_pts: int | None = None
        self._converter = RgbConverter()
        self._shrink: Shrinker | None = None
        self._pixel_count = 1
        self._segment: _OpenSegment | None = None
        self._done: list[dict[str, Any]] = []
        self._time_base = Fraction(1)
        self._cuts: deque[int] = deque()
        self.pts: list[int] = []
        self.changes: list[Change] = []
        self.video_start_s = 0.0

    def segments(self) -> list[dict[str, Any]]:
        """All from one decoding: changes, cuts, measurements."""
        line: deque[Frame] = deque()
        starts: deque[int] = deque()
        detector: CutDetector | None = None
        meter: ChangeMeter | None = None
        last: Frame | None = None
        for frame in self._frames():
            if detector is None or meter is None:
                self._shrink = self._begin(frame)
                meter = ChangeMeter(self._shrink)
                detector = self._detector()
            change = meter.measure(frame.picture)
            if self._watch is not None:
                assert self._shrink is not None
                self._watch(frame, self._shrink.whole)
            self.pts.append(frame.pts)
            self.changes.append(change)
            self._cuts.extend(detector.process(frame.index, frame.pts, change))
            if not self._settings.is_whole and detector.could_cut(change):
                starts.append(frame.index)
            line.append(frame if self._may_be_sampled(frame.index, starts) else frame.without_picture())
            last = frame
            # Of a file that is one segment whatever its cuts are nothing has to be decided first.
            while line and (
                self._settings.is_whole or detector.is_certain(line[0].index, line[0].pts, frame.index, frame.pts)
            ):
                self._leave(line.popleft())
                while starts and starts[0] <= frame.index - len(line):
                    starts.popleft()
        while line:
            self._leave(line.popleft())
        return self._finish(last)

    def _frames(self) -> Iterator[Frame]:
        """The frames up to where the source is trimmed."""
        first_pts: int | None = None
        with closing(self._video.frames()) as frames:
            for frame in frames:
                if first_pts is None:
                    first_pts = frame.pts
                if self._trim_s is not None and (frame.pts - first_pts) * frame.picture.time_base >= self._trim_s:
                    self._trimmed_at_pts = frame.pts
                    return
                yield frame

    @property
    def is_trimmed(self) -> bool:
        return self._trimmed_at_pts is not None

    def _may_be_sampled(self, index: int, starts: Iterable[int]) -> bool:
        """Whether a frame is a sample of the open segment, or of one that begins at a frame still undecided.

        The others wait without their picture: a delay line of large pictures would fill the memory.
        """
        start = self._segment.start_frame if self._segment else 0
        stride = self._settings.frame_stride
        return (index - start) % stride == 0 or any((index - other) % stride == 0 for other in starts)

    def with_known_changes(self, known: tuple[list[int], list[Change]]) -> list[dict[str, Any]]:
        """The same from known changes: no frame is compared, and only the sampled ones are converted."""
        last: Frame | None = None
        for frame in self._frames():
            if last is None:
                self._shrink = self._begin(frame)
                self.pts, self.changes = known
                self._cuts.extend(self._detector().cuts(zip(*known, strict=True)))
            if frame.index >= len(self.pts) or frame.pts != self.pts[frame.index]:
                raise _OtherFramesError
            self._leave(frame)
            last = frame
        return self._finish(last)

    def _begin(self, first: Frame) -> Shrinker:
        self._time_base = Fraction(first.picture.time_base)
        self.video_start_s = float(first.pts * self._time_base)
        width, height = shrunk_size(first.picture.width, first.picture.height)
        self._pixel_count = width * height
        return Shrinker(first.picture, self._converter, is_whole=self._watch is not None)

    def _detector(self) -> CutDetector:
        return CutDetector(self._settings.detector, self._pixel_count, self._video.nominal_rate, self._time_base)

    def _seconds(self, pts: int) -> float:
        return float((pts - self.pts[0]) * self._time_base)

    def cut_times_s(self) -> list[float]:
        """Of a file that is one segment: where it would be cut."""
        return [self._seconds(self.pts[index]) for index in self._cuts]

    def _leave(self, frame: Frame) -> None:
        """A frame leaves the delay line: from here on its segment is known."""
        if self._cuts and self._cuts[0] == frame.index and not self._settings.is_whole:
            self._cuts.popleft()
            self._close(frame.index, frame.pts)
        segment = self._segment
        if segment is None:
            assert self._shrink is not None
            portraits = _Portraits(self._converter, self._shrink, is_shown=self._watch is None)
            segment = _OpenSegment(frame.index, frame.pts, self._seconds(frame.pts), portraits)
            self._segment = segment
        segment.has_mended_stamps |= frame.is_mended
        if (frame.index - segment.start_frame) % self._settings.frame_stride:
            return
        elapsed_s = self._seconds(frame.pts) - segment.start_s
        if elapsed_s > self._settings.max_duration_s:
            # Too long to be kept: nothing more is measured, nothing piles up.
            segment.waiting.clear()
            return
        segment.waiting.append(frame)
        if elapsed_s >= self._settings.min_duration_s:
            self._measure(segment)

    def _measure(self, segment: _OpenSegment) -> None:
        segment.colour = segment.colour or ColourCounter()
        for frame in segment.waiting:
            segment.colour.add_planes(*self._converter.planes(frame.picture))
            segment.portraits.add(frame)
            segment.sampled_pts_s.append(self._seconds(frame.pts) - segment.start_s)
        segment.waiting.clear()

    def _finish(self, last: Frame | None) -> list[dict[str, Any]]:
        if last is None:
            raise MediaError("corrupt_frames", "Not a single frame can be decoded")
        if last.index + 1 != len(self.pts):
            raise _OtherFramesError
        end_pts = self._trimmed_at_pts
        self._close(last.index + 1, last.pts + last_duration(last.duration, self.pts) if end_pts is None else end_pts)
        return self._done

    def _close(self, end_frame: int, end_pts: int) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        duration = (end_pts - segment.start_pts) * self._time_base
        reason = None
        # Exact fractions: a clip of exactly 4 s is kept, whatever its time base.
        if duration < Fraction(str(self._settings.min_duration_s)):
            reason = "too_short"
        elif duration > Fraction(str(self._settings.max_duration_s)):
            reason = "too_long"
        row: dict[str, Any] = {
            "start_s": segment.start_s,
            "end_s": self._seconds(end_pts),
            "start_frame": segment.start_frame,
            "end_frame": end_frame,
            "start_pts": segment.start_pts,
            "end_pts": end_pts,
            "duration_s": float(duration),
            "is_kept": reason is None,
            "drop_reason": reason,
            "has_mended_stamps": segment.has_mended_stamps,
        }
        if reason is None:
            self._measure(segment)
            assert segment.colour is not None
            row["thumbnail"], hashes = segment.portraits.settle()
            row["colour"] = segment.colour.sums().as_tuple()
            motion = self._motion(segment.start_frame, end_frame)
            row["features"] = _spread(motion) | {
                "sampled_changes": self._between_samples(motion),
                "colour_histogram": segment.colour.palette(),
                "frame_hashes": hashes,
                "sampled_pts_s": segment.sampled_pts_s,
            }
        self._done.append(row)

    def _motion(self, start_frame: int, end_frame: int) -> np.ndarray:
        """float64 (frames,): change of V from the frame before, as a share of the full range; 0 for the first."""
        sums = [0, *(change.value for change in self.changes[start_frame + 1 : end_frame])]
        return np.asarray(sums) / (self._pixel_count * 255)

    def _between_samples(self, motion: np.ndarray) -> list[float]:
        """How much changes from each sampled frame to the next, by the sampled frame that ends it; 0 for the first."""
        so_far = [0.0, *np.cumsum(motion)[:: self._settings.frame_stride].tolist()]
        return [later - earlier for earlier, later in pairwise(so_far)]


def _spread(motion: np.ndarray) -> dict[str, float]:
    """Of the changes behind the first frame."""
    changes = motion[1:] if len(motion) > 1 else motion
    return {
        "motion_mean": float(changes.mean()),
        "motion_sd": float(changes.std()),
        "motion_peak": _quantile(changes, 0.95),
    }


def _quantile(values: np.ndarray, share: float) -> float:
    """As `np.quantile`, to the last bit; for few numbers that takes a tenth of a millisecond and more."""
    ordered = np.sort(values).tolist()
    place = (len(ordered) - 1) * share
    below = int(place)
    low, high, rest = ordered[below], ordered[min(below + 1, len(ordered) - 1)], place - below
    step = high - low
    return float(high - step * (1 - rest) if rest >= 0.5 else low + step * rest)


def _thumbnail(rgb: np.ndarray, rotation: int) -> np.ndarray:
    import cv2

    pixels = upright(rgb, rotation)
    height, width = pixels.shape[:2]
    scale = min(1.0, THUMBNAIL_PX / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Averaging over areas matters from half the size on; above, it costs ten times as much and shows nothing.
    method = cv2.INTER_AREA if scale <= 0.5 else cv2.INTER_LINEAR
    return cv2.resize(pixels, size, interpolation=method) if scale < 1 else pixels.copy()
