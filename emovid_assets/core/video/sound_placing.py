"""The samples of a sound track, each where the stamps of its packets put it, on the clock of the file.

Belongs here: decoding sound, what a hole is, and resampling. Does not belong here: what is measured on the samples, and
the interval that somebody asks for (`sound`).

A *run* is a stretch of frames without a hole. Within a run samples follow each other by counting: stamps are rounded,
to whole milliseconds in Matroska, and blocks placed one by one would overlap and gape by a few samples, which is heard
as clicks. A run ends, and the resampler with it, where stamps leave the count for good, where rate, format or layout
change, and where the decoder fails. Nothing is put into the hole behind it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import gcd
from typing import Any, NamedTuple

import numpy as np

from emovid_assets.core.video.stamps import packets
from emovid_assets.core.video.streams import Tracks

HOLE_S = 0.005
"""Stamps further from the count than this, and that stay there, begin a new run. Rounding makes them stray by 1 ms; a
packet that is missing leaves 20 ms and more."""
STAY_FRAMES = 24
"""For so many frames, half a second, they have to stay. Those of Vorbis in WebM stray by 10 ms wherever long blocks
and short ones meet, those of some cut MP4 by 18 ms, and come back: nothing is missing there."""
ANCHOR_FRAMES = 24
"""A run begins where this many of its stamps say on average. One alone is off by up to half a millisecond, and after a
seek by another half."""
BREAK_S = 0.05
"""A decoder begins afresh behind a hole longer than any straying of stamps."""
LONGEST_PACKET_S = 0.1
"""What a packet that gives no samples may have held: the first one of Vorbis, or a damaged one."""
UNSTAMPED_S = 1.0
"""How long the packets behind a stamped one last at most: a transport stream stamps the first of each group, and the
others have neither stamp nor length where the track began too late for its rate to be known."""
RUN_UP_S = 0.5
"""Decoders need packets before the first sample that counts; this is more than any codec's delay."""
RUN_UPS_S = (RUN_UP_S, 10)
"""How far before the samples to seek, in turn."""
MOST_PLANES = 7
"""PyAV takes what follows the eighth plane of a frame for more planes, and writing to them ends the process."""
MARGIN_S = 0.05
"""Resamplers look some milliseconds to both sides."""


@dataclass
class Faults:
    """What could not be decoded: packets, and the demuxer where it stopped before the end."""

    count: int = 0


class Piece(NamedTuple):
    """A decoded frame. `start` counts samples of its own rate from stamp zero."""

    start: int
    start_s: float
    is_new_run: bool
    frame: Any


def sound_pieces(
    container: Any, tracks: Tracks, spans: Sequence[tuple[float, float]], faults: Faults
) -> Iterator[Piece]:
    """The decoded frames on which samples of the spans (start, end in s, ascending) depend, in their places.

    From wherever the container stands to the end of the last span.
    """
    return _near(_placed(container, tracks, spans, faults), spans)


def _placed(container: Any, tracks: Tracks, spans: Sequence[tuple[float, float]], faults: Faults) -> Iterator[Piece]:
    line = _Line()
    for frame in _decoded(container, tracks, spans, faults):
        if frame is None:
            yield from line.ended()
        else:
            yield from line.add(frame)
    yield from line.ended()


def resampled(pieces: Iterable[Piece], rate_hz: int, channels: int) -> Iterator[tuple[int, np.ndarray]]:
    """(place, float32 samples (channels, n)) in ascending order and disjoint; places count samples from stamp zero.

    One channel comes as one, whatever `channels` allows; what is placed first stays. A run's samples are the same
    wherever in it the first piece lies: resampling begins on a grid that both rates share.
    """
    filled: int | None = None
    resampler: _Resampler | None = None
    for piece in pieces:
        if piece.is_new_run:
            if resampler is not None:
                yield from resampler.rest()
                filled = resampler.filled
            resampler = _Resampler(piece, rate_hz, channels, filled)
        if resampler is not None:
            yield from resampler.add(piece.frame)
    if resampler is not None:
        yield from resampler.rest()


def _near(pieces: Iterable[Piece], spans: Iterable[tuple[float, float]]) -> Iterator[Piece]:
    waiting = iter(spans)
    span = next(waiting, None)
    is_cut = False
    for piece in pieces:
        start_s, frame = piece.start_s, piece.frame
        while span is not None and start_s > span[1] + MARGIN_S:
            span = next(waiting, None)
        if span is None:
            return
        if start_s < span[0] and start_s + frame.samples / frame.sample_rate < span[0] - MARGIN_S:
            is_cut = True
        else:
            yield piece._replace(is_new_run=True) if is_cut else piece
            is_cut = False


def seek_before(container: Any, tracks: Tracks, start_s: float) -> bool:
    """Goes to where decoding has to begin for the samples from `start_s` on. False where no seek leads there.

    A seek may end behind its target, at the second packet of a track that begins or goes on later: only a packet that
    lies before it proves that nothing was left out.
    """
    import av

    if not tracks.is_seekable:
        return False
    stream = container.streams[tracks.audio_index]
    tick = float(stream.time_base)
    for run_up_s in RUN_UPS_S:
        target = int((start_s - run_up_s) / tick)
        if target <= 0:
            return False
        try:
            container.seek(target, stream=stream, backward=True)
            first = next(packets(container, tracks, stream), None)
            if first is not None and first.pts is not None and first.pts * tick <= start_s - RUN_UP_S:
                container.seek(target, stream=stream, backward=True)
                return True
        except (av.error.FFmpegError, LookupError):
            return False
    return False


def _decoded(container: Any, tracks: Tracks, spans: Sequence[tuple[float, float]], faults: Faults) -> Iterator[Any]:
    """Frames; null where something could not be decoded. A fault of the sound must not cost the pictures.

    Behind a long hole or a fault the decoder begins afresh, as it does where a seek ends there: what it keeps of the
    packets before would be mixed into others. Packets far from every span are not decoded, which leaves such a hole.
    """
    import av

    stream = container.streams[tracks.audio_index]
    if stream.codec_context is None:
        return
    tick = float(stream.time_base)
    first_s, last_s = [start_s - RUN_UP_S for start_s, _ in spans], [end_s + RUN_UP_S for _, end_s in spans]
    source = packets(container, tracks, stream)
    expected_s: float | None = None
    is_far = False
    while True:
        try:
            packet = next(source, None)
        except (av.error.FFmpegError, LookupError):
            # PyAV looks up a stream that a damaged transport stream announces late, and does not find it.
            faults.count += 1
            return
        if packet is None:
            return
        if packet.size == 0 and packet.dts is not None:
            continue
        if is_far and packet.size and packet.pts is None:
            continue
        at_s = expected_s if packet.pts is None else packet.pts * tick
        if at_s is not None and packet.size:
            number = bisect_left(last_s, at_s)
            ahead_s = 0 if packet.duration else UNSTAMPED_S
            is_far = number == len(last_s) or at_s < first_s[number] - ahead_s
            if is_far:
                continue
            if expected_s is not None and abs(at_s - expected_s) > BREAK_S:
                stream.codec_context.flush_buffers()
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, ValueError, LookupError):
            faults.count += 1
            frames = []
            stream.codec_context.flush_buffers()
            yield None
        if at_s is not None:
            # MP4 lets a packet last until the next one, hole and all.
            expected_s = at_s + min((packet.duration or 0) * tick, LONGEST_PACKET_S)
        for frame in frames:
            if not _is_mixable(frame.format.name, frame.layout.name):
                faults.count += 1
                yield None
            elif frame.samples and frame.sample_rate:
                length_s = frame.samples / frame.sample_rate
                if frame.pts is not None:
                    expected_s = frame.pts * tick + length_s
                elif not packet.duration and expected_s is not None:
                    expected_s += length_s
                yield frame


class _Line:
    """Frames of one run after the other. Those whose stamps leave it wait until they come back, or have stayed away."""

    def __init__(self) -> None:
        self._run: _Run | None = None
        self._astray: list[Any] = []
        self._astray_count = 0
        self._end_s = 0.0

    def add(self, frame: Any) -> Sequence[Piece]:
        run = self._run
        if run is None or not run.is_alike(frame):
            return [*self.ended(), *self._begun(frame)]
        if run.takes(frame, self._astray_count):
            return [*self._returned(run), *run.add(frame)] if self._astray else run.add(frame)
        self._astray.append(frame)
        self._astray_count += frame.samples
        return self._left() if len(self._astray) == STAY_FRAMES else ()

    def ended(self) -> list[Piece]:
        """What is still held: no frame follows, or none that goes on from here."""
        pieces: list[Piece] = []
        while self._astray:
            pieces += self._left()
        if self._run is not None:
            pieces += self._run.settled()
            self._end_s, self._run = self._run.end_s, None
        return pieces

    def _begun(self, frame: Any) -> Sequence[Piece]:
        self._run = _Run(frame, self._end_s)
        return self._run.add(frame)

    def _returned(self, run: "_Run") -> list[Piece]:
        pieces = [piece for frame in self._astray for piece in run.add(frame)]
        self._astray, self._astray_count = [], 0
        return pieces

    def _left(self) -> list[Piece]:
        first, *others = self._astray
        self._astray, self._astray_count = [], 0
        pieces: list[Piece] = []
        if self._run is not None:
            # A frame alone whose stamp lies ahead of what follows has no place.
            pieces += [] if self._run.is_stray(first) else self._run.settled()
            self._end_s = self._run.end_s
        pieces += self._begun(first)
        for frame in others:
            pieces += self.add(frame)
        return pieces


class _Run:
    """A run that grows. Its frames wait until enough stamps have said where it begins."""

    def __init__(self, frame: Any, at_s: float) -> None:
        self._rate = frame.sample_rate
        self._kind = _kind(frame)
        self._scale = float(Fraction(frame.time_base) * self._rate)
        self._first = at_s * self._rate if frame.pts is None else frame.pts * self._scale
        self._count = 0
        self._waiting: list[Any] = []
        self._offsets: list[float] = []
        self._start: int | None = None

    @property
    def end_s(self) -> float:
        return float((self._first + self._count) / self._rate)

    def is_alike(self, frame: Any) -> bool:
        return _kind(frame) == self._kind

    def takes(self, frame: Any, further: int = 0) -> bool:
        """Whether the frame goes on where the run ends, or `further` samples behind."""
        at = self._first + self._count + further
        return frame.pts is None or abs(frame.pts * self._scale - at) <= HOLE_S * self._rate

    def is_stray(self, following: Any) -> bool:
        """Whether all there is of the run is one frame that claims to come after the one that follows it."""
        is_alone = len(self._waiting) == 1 and self._start is None and following.pts is not None
        return is_alone and bool(following.pts * following.time_base < self._first / self._rate - HOLE_S)

    def add(self, frame: Any) -> Sequence[Piece]:
        if self._start is not None:
            place = self._start + self._count
            self._count += frame.samples
            return (Piece(place, place / self._rate, False, frame),)
        self._waiting.append(frame)
        if frame.pts is not None and self.takes(frame):
            self._offsets.append(frame.pts * self._scale - self._count)
        self._count += frame.samples
        return self.settled() if len(self._waiting) == ANCHOR_FRAMES else ()

    def settled(self) -> list[Piece]:
        """The frames that wait, from the place on which their stamps agree best."""
        if self._start is None:
            self._first = sum(self._offsets) / len(self._offsets) if self._offsets else self._first
            self._start = round(self._first)
        pieces: list[Piece] = []
        place = self._start
        for frame in self._waiting:
            pieces.append(Piece(place, place / self._rate, not pieces, frame))
            place += frame.samples
        self._waiting = []
        return pieces


@cache
def _is_mixable(format_name: str, layout_name: str) -> bool:
    """Whether such frames can be made mono and stereo: some numbers of channels have no places to be heard at, such as
    the fifty that damaged AAC decodes to."""
    import av
    from av.audio.resampler import AudioResampler

    frame = av.AudioFrame(av.AudioFormat(format_name).packed.name, layout_name, 1)
    frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
    try:
        AudioResampler(format="fltp", layout="mono", rate=48_000).resample(_silence(frame, 64))
    except av.error.FFmpegError:
        return False
    return True


def _kind(frame: Any) -> tuple[Any, ...]:
    return frame.sample_rate, frame.format.name, frame.layout.name


class _Resampler:
    """Frames of one run to the samples of another rate, from a place that is whole in both rates."""

    def __init__(self, piece: Piece, rate_hz: int, channels: int, filled: int | None) -> None:
        from av.audio.resampler import AudioResampler

        frame = piece.frame
        own_rate = frame.sample_rate
        layout = "mono" if channels == 1 or frame.layout.nb_channels == 1 else "stereo"
        # A second at a time: the decoder's own thousand samples would cost ten times as many steps.
        self._resampler = AudioResampler(format="fltp", layout=layout, rate=rate_hz, frame_size=rate_hz)
        # Without the silence before it the run begins up to half a sample beside its place.
        is_led = not frame.format.is_planar or frame.layout.nb_channels <= MOST_PLANES
        self._lead = piece.start % (own_rate // gcd(own_rate, rate_hz)) if is_led else 0
        self._at = round(Fraction((piece.start - self._lead) * rate_hz, own_rate))
        first = _ceil(piece.start * rate_hz, own_rate)
        self.filled = first if filled is None else max(first, filled)
        self._rate, self._own_rate = rate_hz, own_rate
        self._end = piece.start

    def add(self, frame: Any) -> Iterable[tuple[int, np.ndarray]]:
        lead: list[Any] = []
        if self._lead:
            lead = self._resampler.resample(_silence(frame, self._lead))
            self._lead = 0
        self._end += frame.samples
        # Only the count of samples is to matter.
        frame.pts = None
        blocks = lead + self._resampler.resample(frame)
        return self._placed(blocks) if blocks else ()

    def rest(self) -> Iterator[tuple[int, np.ndarray]]:
        return self._placed(self._resampler.resample(None))

    def _placed(self, blocks: Iterable[Any]) -> Iterator[tuple[int, np.ndarray]]:
        end = _ceil(self._end * self._rate, self._own_rate)
        for block in blocks:
            skipped = max(0, self.filled - self._at)
            samples = block.to_ndarray()[:, skipped : max(skipped, end - self._at)]
            at = self._at + skipped
            self._at += block.samples
            if samples.shape[1]:
                self.filled = at + samples.shape[1]
                yield at, samples


def _ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _silence(like: Any, count: int) -> Any:
    import av

    frame = av.AudioFrame(like.format.name, like.layout.name, count)
    frame.sample_rate, frame.time_base = like.sample_rate, like.time_base
    for plane in frame.planes:
        plane.update((b"\x80" if like.format.name.startswith("u8") else b"\0") * plane.buffer_size)
    return frame
