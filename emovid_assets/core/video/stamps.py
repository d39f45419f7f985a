"""When the pictures of a file are shown: one line of time whose stamps strictly ascend, whatever the file says.

Belongs here: joins, equal and backward stamps, the last picture's length. Everything that reads a stamp of a film
reads it behind these rules: the probe, the pass, the sound, the encoder; a copied clip is refused where they changed
one. Does not belong here: delays of animated pictures (`animations`), which streams are read (`streams`).

The rules, in the order in which they act:

1. *Joins* (on packets, `Line`). Where a film was joined of parts, as by `cat a.ts b.ts` or by a recorder that was
   restarted, the stamps begin anew. A step back is a join; a leap of more than 10 s is one in MPEG streams, whose
   clocks may be set anew, if sound and pictures leap. The film goes on where the part before ended.
2. *AVI* has no presentation stamps, and guessed ones run backwards: a picture is shown when the packet comes behind
   which the decoder puts it out, less the decoder's delay (`InOrder`).
3. *Order* (on decoded pictures, `ascending`). Decoders put pictures out in the order in which they are shown. A stamp
   that strays from it is drawn between its neighbours; one that repeats becomes the next tick.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from emovid_assets.core.video.streams import Tracks

BACK_S = Fraction(1, 10)
"""A stamp that falls back by no more than this has lost its place; FFmpeg's own tool takes a longer one for a join."""
LEAP_S = Fraction(10)
"""FFmpeg's `dts_delta_threshold`."""
RESETTABLE = frozenset({"mpegts", "mpeg"})
"""Containers whose clock may be set anew within a file."""
STRAY_PACKETS = 3
"""So many packets whose stamps leave the line and come back to it have wrong stamps; more are a part."""
STRAY_RETURN_S = Fraction(1)
"""How far behind the place where they left it such stamps come back at most."""
NO_STAMPS = frozenset({"avi"})


class _Join(NamedTuple):
    """Where the stamps of a stream begin anew. `position`: of the packet among those of the stream."""

    position: int
    shift: int
    is_leap: bool


class Line:
    """The stamps of one stream's packets on one line of time.

    `shifts`: as the probe found them for the video, in ticks of this stream; null finds them out.
    """

    def __init__(self, container_name: str, tick: Fraction, shifts: Sequence[int] | None = None) -> None:
        self._has_stamps = container_name not in NO_STAMPS
        self._back = int(BACK_S / tick)
        self._leap = int(LEAP_S / tick) if container_name in RESETTABLE else None
        self._return = int(STRAY_RETURN_S / tick)
        self._known = shifts
        self._recent: deque[int] = deque(maxlen=STRAY_PACKETS + 1)
        self._left_at: int | None = None
        self._left_before = 0
        self._count = 0
        self._step = 1
        self._shift = 0
        self.joins: list[_Join] = []

    def place(self, packet: Any) -> None:
        """Sets the packet's stamps; they may still repeat or stray."""
        if not self._has_stamps:
            packet.pts = packet.dts
        # Only these ascend in the order of the file; FFmpeg works them out where the container has none.
        raw = packet.dts
        if raw is not None:
            if self._recent:
                self._look(raw)
            self._recent.append(raw)
            self._step = packet.duration or self._step
        self._count += 1
        if self._shift:
            if packet.pts is not None:
                packet.pts += self._shift
            if packet.dts is not None:
                packet.dts += self._shift

    def _look(self, raw: int) -> None:
        last = self._recent[-1]
        step = raw - last
        if self._left_at is not None:
            self._left_before += 1
            gone_on = raw - self._left_at
            if 0 < gone_on <= self._return and abs(gone_on - self._step) < abs(step - self._step):
                # Back where it was: the stamps between were wrong, and no part began.
                self._left_at = None
                return self._turn(self.joins[-2].shift if len(self.joins) > 1 else 0, is_leap=False)
            if self._left_before >= STRAY_PACKETS:
                self._left_at = None
        is_leap = self._leap is not None and step > self._leap
        is_back = step < -self._back and not any(raw > older for older in list(self._recent)[:-1])
        if is_leap or is_back:
            self._left_at, self._left_before = last, 0
            self._turn(self._shift + last + self._step - raw, is_leap=is_leap)
        return None

    def _turn(self, shift: int, *, is_leap: bool) -> None:
        number = len(self.joins)
        if self._known is not None:
            shift = self._known[number] if number < len(self._known) else self._shift
        self.joins.append(_Join(self._count, shift, is_leap))
        self._shift = shift


def film_shifts(video: Line, sound: Line | None) -> tuple[int, ...]:
    """By how much the stamps of the film move behind each join of its video, in ticks of the video.

    Where the pictures pause while the sound goes on, nothing begins anew: the leap stays.
    """
    does_sound_leap = sound is None or any(join.is_leap for join in sound.joins)
    shifts: list[int] = []
    stayed = 0
    before = 0
    for join in video.joins:
        if join.is_leap and not does_sound_leap:
            stayed += before - join.shift
        shifts.append(join.shift + stayed)
        before = join.shift
    return tuple(shifts)


def moved(pts: np.ndarray, line: Line, shifts: Sequence[int]) -> np.ndarray:
    """Stamps that `line` has placed by its own shifts, int64 in the order of the packets, by those of the film."""
    pts = pts.copy()
    for number, (join, shift) in enumerate(zip(line.joins, shifts, strict=True)):
        end = line.joins[number + 1].position if number + 1 < len(line.joins) else None
        pts[join.position : end] += shift - join.shift
    return pts


def packets(container: Any, tracks: Tracks, *streams: Any) -> Iterator[Any]:
    """Packets of some streams of the film in the order of the file, their stamps on its line of time.

    From wherever the container stands; a film that was joined must be read from its beginning.
    """
    if tracks.is_seekable and container.format.name not in NO_STAMPS:
        yield from container.demux(*streams)
        return
    tick = Fraction(container.streams[tracks.video_index].time_base)
    lines = {
        stream.index: Line(
            container.format.name,
            Fraction(stream.time_base),
            [round(shift * tick / Fraction(stream.time_base)) for shift in tracks.shifts],
        )
        for stream in streams
    }
    for packet in container.demux(*streams):
        if packet.size:
            lines[packet.stream.index].place(packet)
        yield packet


class Delay(NamedTuple):
    """What a decoder takes before it puts out a first picture: packets beyond the first, and their ticks."""

    packets: int
    ticks: int


class InOrder:
    """Stamps for the pictures that a decoder puts out behind packets which are stamped as they are decoded.

    Encoders stamp so that a picture is put out when it is due, all of them late by the same time: a pause lies between
    the pictures where it was. `delay`: null learns it from the beginning of the file. A packet without a picture (a
    dropped frame of MPEG-4, damage) moves no other picture's stamp.
    """

    def __init__(self, delay: Delay | None = None) -> None:
        self.delay = delay
        self._first = self._last = 0
        self._packet_count = self._flushed_count = 0

    def packet(self, stamp: int) -> None:
        if not self._packet_count:
            self._first = stamp
        self._last = stamp
        self._packet_count += 1

    def picture(self, *, is_flushed: bool) -> int:
        """The stamp of the next picture. `is_flushed`: the decoder has all packets."""
        if self.delay is None:
            self.delay = Delay(self._packet_count - 1, self._last - self._first)
            return self._first
        if not is_flushed:
            return self._last - self.delay.ticks
        self._flushed_count += 1
        ahead = self._flushed_count * self.delay.ticks // max(1, self.delay.packets)
        return self._last - self.delay.ticks + ahead


class Stamped(NamedTuple):
    """A decoded picture with the stamp at which it is shown, in ticks. `is_mended`: the file says another one."""

    pts: int
    duration: int
    picture: Any
    is_mended: bool


def ascending(pictures: Iterable[tuple[int | None, int, Any]]) -> Iterator[Stamped]:
    """(stamp or null, duration, picture) in the order of showing, with stamps that strictly ascend.

    One picture waits for the next one's stamp: only that tells a stamp that is ahead from one that is behind.
    """
    waiting: tuple[int, int, Any, bool] | None = None
    last: int | None = None
    step = 1
    for pts, duration, picture in pictures:
        is_guessed = pts is None
        if pts is None:
            pts = waiting[0] + (waiting[1] or step) if waiting else 0
        if waiting is not None:
            step = max(pts - waiting[0], 1)
            stamped = _drawn_in(waiting, last, pts)
            last = stamped.pts
            yield stamped
        waiting = pts, duration, picture, is_guessed
    if waiting is not None:
        yield _drawn_in(waiting, last, None)


def _drawn_in(waiting: tuple[int, int, Any, bool], last: int | None, following: int | None) -> Stamped:
    pts, duration, picture, is_guessed = waiting
    made = pts
    if following is not None and following < pts and (last is None or following > last):
        made = following - 1
    if last is not None:
        made = max(made, last + 1)
    return Stamped(made, duration, picture, is_guessed or made != pts)


def ascended(pts: np.ndarray, *, is_reordered: bool) -> np.ndarray:
    """The stamps of all pictures of a film, int64 in the order of its packets, as `ascending` makes them.

    `is_reordered`: pictures may be decoded before others that are shown first. In which order is known only once they
    are decoded, so a stamp that strays is then taken for one that is early or late.
    """
    if not is_reordered and (np.diff(pts) <= 0).any():
        return np.array([stamped.pts for stamped in ascending((stamp, 0, None) for stamp in pts.tolist())], np.int64)
    numbers = np.arange(len(pts))
    return np.maximum.accumulate(np.sort(pts) - numbers) + numbers


def last_duration(declared: int, pts: Sequence[int] | np.ndarray) -> int:
    """Ticks for which the last picture is shown: as declared, or one usual step where that is a tick or nothing.

    The ids of clips end with it: what is declared stays, be it rounded, so that a clip keeps its id and its answers.
    """
    if declared > 1 or len(pts) < 2:
        return max(declared, 1)
    steps = np.sort(np.diff(pts))
    return max(1, int(steps[len(steps) // 2]))


def is_variable(pts: np.ndarray) -> bool:
    """Whether pictures are shown for different times, beyond what rounding to ticks explains."""
    steps = np.diff(pts)
    rounding = 1 if steps.min() > 1 else 0
    return bool(steps.max() - steps.min() > rounding)
