"""What a film shows at a constant rate, by presentation stamps.

Belongs here: which frame is shown at each tick. Does not belong here: its pixels, how many ticks are wanted.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.reading import Frame, Video
from emovid_assets.core.video.stamps import last_duration

ROUNDING_S = Fraction(1, 1000)
"""A picture that comes so little after a tick was meant for it: MKV and WebM round stamps to milliseconds, so that of a
film which has the rate already many a picture would be lost, and the one before it shown twice."""

Then = Literal["end", "stay", "again"]
"""What follows where a film ends before so many ticks: nothing, its last frame, or the film again."""


def tick_count(length_s: Fraction, rate: Fraction) -> int:
    """How many ticks a film of that length has."""
    return max(0, math.ceil((length_s - ROUNDING_S) * rate))


def frames_at_rate(
    path: Path, rate: Fraction, *, most: int, later_s: Fraction = ROUNDING_S, then: Then = "end"
) -> Iterator[Frame]:
    """The frame that is shown `later_s` after 0, 1/rate, 2/rate, … seconds from the first one, for `most` ticks; the
    same one several times where it is shown for longer than a tick.

    Raises MediaError where there is no picture, or decoding fails.
    """
    times = [tick / rate + later_s for tick in range(most)]
    starts: list[Fraction] = []
    waiting: Frame | None = None
    done = 0
    for frame, start_s in _started(path):
        while waiting is not None and done < most and times[done] < start_s:
            yield waiting
            done += 1
        if done == most:
            return
        waiting = frame
        starts.append(start_s)
    if waiting is None:
        raise MediaError("corrupt_frames", "The video has no picture")
    length_s = starts[-1] + _last_s(waiting, starts)
    while done < most and (times[done] < length_s or then == "stay"):
        yield waiting
        done += 1
    if then == "again":
        yield from _again(path, starts, [time % length_s for time in times[done:]])


def _started(path: Path) -> Iterator[tuple[Frame, Fraction]]:
    """Frames with the seconds from the first one."""
    first: int | None = None
    for frame in Video(path).frames():
        first = frame.pts if first is None else first
        yield frame, (frame.pts - first) * Fraction(frame.picture.time_base)


def _last_s(last: Frame, starts: list[Fraction]) -> Fraction:
    tick = Fraction(last.picture.time_base)
    return last_duration(last.duration, [int(start / tick) for start in starts]) * tick


def _again(path: Path, starts: list[Fraction], times: list[Fraction]) -> Iterator[Frame]:
    numbers = [bisect_right(starts, time) - 1 for time in times]
    wanted = set(numbers)
    # Decoded a second time: to keep every picture of the first would take more memory than those that are shown.
    kept = {frame.index: frame for frame, _ in _started(path) if frame.index in wanted} if wanted else {}
    for number in numbers:
        yield kept[number]
