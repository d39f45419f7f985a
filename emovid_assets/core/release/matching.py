"""Where the clips of a film lie in another file that may show the same film: re-encoded, scaled, cut off, moved.

Belongs here: the search by hashes to the eye (`core.video.fingerprints`), and when it is believed. Does not belong
here: how pictures are hashed, what is cut (`resources.release.rebuilding`).

Pictures of the clips vote for how much later the file shows them; each votes once for a tenth of a second, however long
a scene stands still. The best places are then searched to a fraction of a picture. A file is the film where the
pictures of its clips are found there with one offset, or a few: an upload may hold an advert in the middle. Pictures
that show nothing do not count, and clips that a film shares with another, such as a title card, are too few to make it
that film.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

HASH_DIGITS: Final = 16
NEAR_BITS: Final = 12
"""Of 64 bits, by how many a picture differs from itself re-encoded, at most. Measured (docs/release.md): of pictures
of different films none in 100,000 pairs is as near."""
LEAST_SHARE: Final = 0.6
"""Of the pictures of a clip that must be near where it is found."""
MOST_BITS: Final = 11.0
"""By which the pictures of a clip that is found differ on average. The nearest wrong sticker was 12.3 bits away."""
FILM_SHARE: Final = 0.5
"""Of the pictures of all clips of a film, those of clips that are found."""
LEAST_PICTURES: Final = 3
"""That show something, or nothing is believed: a long film shows a picture as near by chance."""
_NTSC: Final = 1001 / 1000
SPEEDS: Final = (1.0, 25 / 24, 24 / 25, _NTSC, 1 / _NTSC, 25 / 24 * _NTSC, 24 / 25 / _NTSC)
"""How much faster than its source a film may be: a picture of one rate shown at another, as television does."""
LEAST_SPAN_S: Final = 10.0
"""From the first to the last picture of the clips: in less time another speed changes little, and more tries find more
by chance."""
SURE_SHARE: Final = 0.95
"""Of the pictures: where so many are found, no other speed is tried."""
ALIKE_SHARE: Final = 0.02
"""By so much more must be found at another speed."""
BIN_S: Final = 0.1
SCOUTS: Final = 16
VOTERS: Final = 256
"""Pictures of a film that vote, spread over it."""
JUDGES: Final = 1024
"""Pictures that judge a place."""
PLACES: Final = 6
"""So many places with the most votes are looked at closely."""
APART_S: Final = 1.0
GRID: Final = 8
"""Offsets that are tried within the time of one picture."""
ALIKE_BITS: Final = 0.5
"""By so much less than elsewhere a film may be like the clips where it begins as their source does, and is still taken
to do so: most uploads do."""
CLEARLY_BITS: Final = 0.5
"""By so much another place must be nearer than the film's own to be that of a clip."""
CHANCE_BITS: Final = 32
"""By which pictures that have nothing in common differ."""
_AT_ONCE: Final = 1 << 22

Numbers = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Pictures:
    """Hashed pictures in the order of showing, and when each is shown, in seconds. Hash 0: shows nothing."""

    times_s: Numbers
    hashes: Hashes

    @classmethod
    def of(cls, times_s: Sequence[float], hashes: Sequence[str], start_s: float = 0.0) -> "Pictures":
        """From columns of a release. Raises ValueError for texts that are no hashes, or another number of them."""
        if len(times_s) != len(hashes):
            raise ValueError(f"{len(hashes)} hashes for {len(times_s)} pictures")
        if any(len(text) != HASH_DIGITS for text in hashes):
            raise ValueError(f"a hash has {HASH_DIGITS} hex digits")
        return cls(np.asarray(times_s, np.float64) + start_s, np.array([int(text, 16) for text in hashes], np.uint64))

    def __len__(self) -> int:
        return len(self.times_s)

    @cached_property
    def evidence(self) -> "Pictures":
        """Those that show something."""
        shows = self.hashes != 0
        return Pictures(self.times_s[shows], self.hashes[shows])

    @cached_property
    def step_s(self) -> float:
        """The usual time of a picture."""
        return float(np.median(np.diff(self.times_s))) if len(self) > 1 else 0.04

    def at(self, speed: float) -> "Pictures":
        """As they are shown by the clock of a source that is slower by this factor."""
        return self if speed == 1.0 else Pictures(self.times_s * speed, self.hashes)

    def some(self, count: int) -> "Pictures":
        """At most so many, spread over all."""
        if len(self) <= count:
            return self
        chosen = np.linspace(0, len(self) - 1, count).round().astype(np.intp)
        return Pictures(self.times_s[chosen], self.hashes[chosen])

    def nearest(self, times_s: Numbers) -> npt.NDArray[np.intp]:
        """Which picture is shown nearest to each time."""
        behind = np.clip(np.searchsorted(self.times_s, times_s), 1, max(1, len(self) - 1))
        if len(self) == 1:
            return np.zeros(np.shape(times_s), np.intp)
        is_before_nearer = times_s - self.times_s[behind - 1] <= self.times_s[behind] - times_s
        return np.asarray(behind - is_before_nearer, np.intp)


@dataclass(frozen=True)
class Place:
    """How much later a film shows pictures than they are shown in the source of the clips. `distance`: mean bits, where
    what the film does not show counts as chance; `share`: of the pictures that are near."""

    offset_s: float
    distance: float
    share: float

    @property
    def is_believed(self) -> bool:
        return self.share >= LEAST_SHARE and self.distance <= MOST_BITS


@dataclass(frozen=True)
class Showing:
    """Where a film shows the clips of a source: by clip, without those that are not there. `share`: of all their
    pictures that show something; `distance`: mean bits by which those that were found differ. `speed`: of `SPEEDS`;
    places are by the film's times as they are at the speed of the source."""

    of_clips: Mapping[str, Place]
    share: float
    distance: float
    speed: float = 1.0

    @property
    def is_believed(self) -> bool:
        return self.share >= FILM_SHARE


def showing(clips: Mapping[str, Pictures], film: Pictures) -> Showing | None:
    """Whether a film shows the clips of a source, whose pictures have the source's time; null where it does not."""
    wanted = _joined(list(clips.values()))
    if len(wanted.evidence) < LEAST_PICTURES or not _may_show(wanted, film):
        return None
    best: Showing | None = None
    span_s = wanted.times_s[-1] - wanted.times_s[0]
    for speed in SPEEDS if span_s >= LEAST_SPAN_S else SPEEDS[:1]:
        seen = _shown_at(speed, clips, wanted, film)
        best = seen if seen and (best is None or seen.share > best.share + ALIKE_SHARE) else best
        if best and best.share >= SURE_SHARE:
            break
    return best if best and best.is_believed else None


def _shown_at(speed: float, clips: Mapping[str, Pictures], wanted: Pictures, film: Pictures) -> Showing | None:
    at_speed = film.at(speed)
    of_film = places(wanted, at_speed)
    found = {name: place_of(clip, at_speed, of_film) for name, clip in clips.items()} if of_film else {}
    there = {name: place for name, place in found.items() if place is not None}
    weights = {name: len(clips[name].evidence) for name in there}
    if not sum(weights.values()):
        return None
    near = sum(weights[name] * there[name].share for name in there)
    distance = sum(weights[name] * there[name].distance for name in there) / sum(weights.values())
    return Showing(there, near / len(wanted.evidence), distance, speed)


def _may_show(wanted: Pictures, film: Pictures) -> bool:
    """Whether enough of a few pictures are anywhere in a film: asked of every film and source, so it must be quick."""
    scouts = wanted.evidence.some(SCOUTS)
    near = (np.bitwise_count(scouts.hashes[:, None] ^ film.hashes[None, :]) <= NEAR_BITS).any(axis=1)
    return bool(near.mean() >= FILM_SHARE / 2)


def _joined(clips: Sequence[Pictures]) -> Pictures:
    """The pictures of all clips of a source."""
    times_s = np.concatenate([np.zeros(0), *(clip.times_s for clip in clips)])
    hashes = np.concatenate([np.zeros(0, np.uint64), *(clip.hashes for clip in clips)])
    order = np.argsort(times_s, kind="stable")
    return Pictures(times_s[order], hashes[order])


def places(wanted: Pictures, film: Pictures) -> list[Place]:
    """Where a film may show what is wanted, the best place first; empty where it shows nothing of it."""
    voters, judges = wanted.evidence.some(VOTERS), wanted.evidence.some(JUDGES)
    if not len(voters) or not len(film):
        return []
    found = [_refined(judges, film, offset_s) for offset_s in _voted(voters, film)]
    return sorted(found, key=lambda place: place.distance)


def place_of(clip: Pictures, film: Pictures, of_film: Sequence[Place]) -> Place | None:
    """The place of one clip, given those of its film: the first of them unless another is clearly nearer. Null where it
    is not there. A clip that shows nothing is where the film says."""
    judges = clip.evidence.some(JUDGES)
    if not len(judges):
        return Place(of_film[0].offset_s, 0.0, 0.0) if of_film else None
    best: Place | None = None
    for place in of_film:
        found = _at(judges, film, place.offset_s)
        # What drifts, or is not at a constant rate, is off by a picture or two.
        near = _refined(judges, film, place.offset_s)
        found = near if _is_clearly_better(near, found) else found
        best = found if best is None or _is_clearly_better(found, best) else best
    return best if best is not None and best.is_believed else None


def _is_clearly_better(one: Place, other: Place) -> bool:
    return one.distance < other.distance - CLEARLY_BITS


def distance(clip: Pictures, shown: Pictures) -> float | None:
    """Mean bits by which pictures of a clip differ from those that a file shows at the same times; null where none
    shows anything."""
    wanted = clip.evidence
    if not len(wanted) or not len(shown):
        return None
    return float(np.bitwise_count(wanted.hashes ^ shown.hashes[shown.nearest(wanted.times_s)]).mean())


def _voted(voters: Pictures, film: Pictures) -> list[float]:
    """Offsets with the most votes, the most first."""
    first = float(film.times_s[0] - voters.times_s[-1])
    count = int((float(film.times_s[-1] - voters.times_s[0]) - first) / BIN_S) + 2
    votes = np.zeros(count + 1, np.int64)
    at_once = max(1, _AT_ONCE // len(film))
    for begin in range(0, len(voters), at_once):
        some = voters.hashes[begin : begin + at_once]
        near = np.bitwise_count(some[:, None] ^ film.hashes[None, :]) <= NEAR_BITS
        near &= film.hashes[None, :] != 0
        for row, time_s in zip(near, voters.times_s[begin : begin + at_once], strict=True):
            bins = ((film.times_s[row] - time_s - first) / BIN_S).astype(np.int64)
            votes[np.unique(bins)] += 1
    # An offset may lie at the border of two.
    together = votes[:-1] + votes[1:]
    apart = max(1, round(APART_S / BIN_S))
    found: list[float] = []
    while len(found) < PLACES and together.any():
        best = int(together.argmax())
        found.append(first + (best + 1) * BIN_S)
        together[max(0, best - apart) : best + apart + 1] = 0
    return found


def _refined(judges: Pictures, film: Pictures, around_s: float) -> Place:
    """The place nearest to the eye within a tenth of a second or two; of several alike, the middle one."""
    step_s = min(film.step_s, BIN_S) / GRID
    reach = int(2 * BIN_S / step_s) + 1
    offsets: Numbers = np.arange(-reach, reach + 1, dtype=np.float64) * step_s + around_s
    cost = _compared(judges, film, offsets).mean(axis=1)
    if abs(around_s) <= reach * step_s:
        whole = _at(judges, film, 0.0)
        if whole.distance <= cost.min() + ALIKE_BITS:
            return whole
    best = np.flatnonzero(cost <= cost.min() + 1e-9)
    run = best[: 1 + int(np.argmax(np.append(np.diff(best) > 1, True)))]
    return _at(judges, film, float(offsets[run[len(run) // 2]]))


def _at(judges: Pictures, film: Pictures, offset_s: float) -> Place:
    bits = _compared(judges, film, np.array([offset_s]))[0]
    return Place(offset_s, float(bits.mean()), float((bits <= NEAR_BITS).mean()))


def _compared(judges: Pictures, film: Pictures, offsets: Numbers) -> Numbers:
    """(offsets, judges): bits by which the film differs at each offset; chance where it shows nothing then, or a place
    that shows a single picture would win."""
    wanted_s = judges.times_s[None, :] + offsets[:, None]
    is_shown = (wanted_s > film.times_s[0] - film.step_s) & (wanted_s < film.times_s[-1] + 2 * film.step_s)
    bits = np.bitwise_count(judges.hashes[None, :] ^ film.hashes[film.nearest(wanted_s)])
    return np.where(is_shown, bits, np.float64(CHANCE_BITS))
