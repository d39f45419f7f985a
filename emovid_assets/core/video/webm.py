"""WebM files as bytes: tracks and blocks in, a file whose index comes first out (RFC 9559).

Belongs here: elements and their order. Does not belong here: which blocks there are (`clip_webm`), reading them
(`matroska`).

FFmpeg's muxer cannot be told, through PyAV, the shape of pixels, how long the file lasts, nor where Opus begins.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, starmap

TICK = Fraction(1, 1000)
CLUSTER_TICKS = 5000
"""A cluster is not longer than this; blocks count from its beginning in 16 bits with a sign."""
OPUS_RATE_HZ = 48_000
OPUS_RUN_UP_NS = 80_000_000
"""Before a place that a player is sent to, so that Opus is itself there (RFC 7845, 4.6)."""
NS = 10**9
APP = "EmoVid Assets"
PICTURES, SOUND = 1, 2
"""Numbers of the tracks, and their kinds."""

_SEGMENT, _INFO, _TRACKS, _CUES = "18538067", "1549a966", "1654ae6b", "1c53bb6b"
_Content = bytes | int | float | str


@dataclass(frozen=True)
class Block:
    """A packet. `at` and `duration` are in ticks; the latter is written where it is given. `discard_ns`: of its end."""

    track: int
    at: int
    data: bytes
    is_key: bool
    duration: int | None = None
    discard_ns: int = 0


@dataclass(frozen=True)
class Pictures:
    """A track of VP8. `rate`: pictures in a second, where it is constant. Colours are the numbers of H.273."""

    size: tuple[int, int]
    display: tuple[int, int]
    rate: Fraction | None
    matrix: int
    primaries: int
    transfer: int


@dataclass(frozen=True)
class OpusTrack:
    """`header`: an OpusHead, which says how many samples come before the first that is heard."""

    header: bytes

    @property
    def unheard(self) -> int:
        return int.from_bytes(self.header[10:12], "little")


def webm(pictures: Pictures, sound: OpusTrack | None, blocks: Sequence[Block], length_s: Fraction) -> list[bytes]:
    """A file of blocks in the order of their times, in pieces."""
    info = _element(
        _INFO,
        _element("2ad7b1", round(TICK * NS)),
        _element("4489", float(length_s / TICK)),
        _element("4d80", APP),
        _element("5741", APP),
    )
    tracks = _element(_TRACKS, _pictures(pictures), _sound(sound) if sound else b"")
    clusters = list(_clusters(blocks))
    keys = [number for number, (_, is_key, _) in enumerate(clusters) if is_key]

    def index(places: Sequence[int]) -> tuple[bytes, bytes]:
        """What says where everything is; places are written in eight bytes each, so they change no size."""
        seeks = zip((_INFO, _TRACKS, _CUES), places[:3], strict=True)
        cues = ((clusters[number][0], places[3 + number]) for number in keys)
        return _element("114d9b74", *starmap(_seek, seeks)), _element(_CUES, *starmap(_cue, cues))

    parts = [info, tracks, index([0] * (3 + len(clusters)))[1], *(data for _, _, data in clusters)]
    first = len(index([0] * (3 + len(clusters)))[0])
    seeks, cues = index(list(accumulate(map(len, parts[:-1]), initial=first)))
    body = [seeks, info, tracks, cues, *parts[3:]]
    return [_HEADER, _head(_SEGMENT, sum(map(len, body))), *body]


def _seek(name: str, place: int) -> bytes:
    return _element("4dbb", _element("53ab", bytes.fromhex(name)), _element("53ac", place.to_bytes(8, "big")))


def _cue(time: int, place: int) -> bytes:
    position = _element("b7", _element("f7", PICTURES), _element("f1", place.to_bytes(8, "big")))
    return _element("bb", _element("b3", time), position)


def _pictures(track: Pictures) -> bytes:
    colour = _element(
        "55b0",
        _element("55b1", track.matrix),
        # Of limited range, as all VP8.
        _element("55b9", 1),
        _element("55ba", track.transfer),
        _element("55bb", track.primaries),
    )
    video = _element(
        "e0",
        # Progressive, as all VP8.
        _element("9a", 2),
        *(_element(name, value) for name, value in zip(("b0", "ba"), track.size, strict=True)),
        *(_element(name, value) for name, value in zip(("54b0", "54ba"), track.display, strict=True)),
        colour,
    )
    steady = _element("23e383", round(NS / track.rate)) if track.rate else b""
    return _track(PICTURES, "V_VP8", steady, video)


def _sound(track: OpusTrack) -> bytes:
    return _track(
        SOUND,
        "A_OPUS",
        _element("56aa", round(Fraction(track.unheard * NS, OPUS_RATE_HZ))),
        _element("56bb", OPUS_RUN_UP_NS),
        _element("63a2", track.header),
        _element("e1", _element("b5", float(OPUS_RATE_HZ)), _element("9f", track.header[9])),
    )


def _track(number: int, codec: str, *others: bytes) -> bytes:
    # Unique within the file is enough, and no lacing: a packet a block.
    numbers = (_element(name, value) for name, value in (("d7", number), ("73c5", number), ("83", number), ("9c", 0)))
    # Where nothing is said of the language, it is English.
    return _element("ae", *numbers, _element("22b59c", "und"), _element("86", codec), *others)


def _clusters(blocks: Sequence[Block]) -> Iterator[tuple[int, bool, bytes]]:
    """(time, whether a key frame of the pictures begins it, bytes) of each; every key frame begins one."""
    members: list[Block] = []
    for block in blocks:
        is_new = block.track == PICTURES and block.is_key
        if members and (is_new or block.at - members[0].at >= CLUSTER_TICKS):
            yield _cluster(members)
            members = []
        members.append(block)
    if members:
        yield _cluster(members)


def _cluster(blocks: Sequence[Block]) -> tuple[int, bool, bytes]:
    first = blocks[0]
    data = _element("1f43b675", _element("e7", first.at), *(_block(block, first.at) for block in blocks))
    return first.at, first.track == PICTURES and first.is_key, data


def _block(block: Block, cluster_at: int) -> bytes:
    is_simple = block.duration is None and not block.discard_ns
    flags = 0x80 if is_simple and block.is_key else 0
    data = struct.pack(">BhB", 0x80 | block.track, block.at - cluster_at, flags) + block.data
    if is_simple:
        return _element("a3", data)
    return _element(
        "a0",
        _element("a1", data),
        _element("9b", block.duration) if block.duration is not None else b"",
        # What is no key frame refers to a block before it; which one, nobody asks.
        b"" if block.is_key else _element("fb", struct.pack(">b", -1)),
        _element("75a2", struct.pack(">q", block.discard_ns)) if block.discard_ns else b"",
    )


def _element(name: str, *content: _Content) -> bytes:
    """Of other elements, or of one value."""
    data = b"".join(map(_bytes, content))
    return _head(name, len(data)) + data


def _head(name: str, size: int) -> bytes:
    width = next(width for width in range(1, 9) if size < (1 << 7 * width) - 1)
    return bytes.fromhex(name) + (size | 1 << 7 * width).to_bytes(width, "big")


def _bytes(value: _Content) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, float):
        return struct.pack(">d", value)
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


_HEADER = _element(
    "1a45dfa3",
    *(_element(name, value) for name, value in (("4286", 1), ("42f7", 1), ("42f2", 4), ("42f3", 8))),
    *(_element(name, value) for name, value in (("4282", "webm"), ("4287", 4), ("4285", 2))),
)
