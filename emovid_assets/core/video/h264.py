"""Units and parameter sets of an H.264 stream (ISO/IEC 14496-10) as MP4 and Matroska keep them (ISO/IEC 14496-15).

Belongs here: the few bytes that joining two streams under one header needs. Does not belong here: which pictures are
joined (`clip_join`), how some of them are encoded (`clip_ends`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

SLICE, IDR, SEQUENCE, PICTURE = 1, 5, 7, 8
"""Types of units: a slice, a slice of a picture that needs none before it, the two parameter sets."""
MOST_SETS = 31
"""The ids of sequence parameter sets end here; those of picture parameter sets go on to 255."""


@dataclass(frozen=True)
class Header:
    """An `avcC` record: how many bytes name the length of a unit, and the parameter sets of the stream."""

    data: bytes
    length_size: int
    sequences: tuple[bytes, ...]
    pictures: tuple[bytes, ...]
    extension: bytes

    @classmethod
    def of(cls, stream: Any) -> Self | None:
        """Null where the stream keeps none, or half of one: its sets are in its packets, behind start codes."""
        data = bytes(stream.codec_context.extradata or b"")
        try:
            if data[0] != 1:
                return None
            sequences, at = _sets(data, 6, data[5] & 31)
            pictures, at = _sets(data, at + 1, data[at])
        except IndexError:
            return None
        return cls(data, 1 + (data[4] & 3), sequences, pictures, data[at:])

    @property
    def profile(self) -> int:
        return self.data[1]

    def with_sets(self, sequences: Iterable[bytes], pictures: Iterable[bytes]) -> bytes:
        """The record with more sets behind its own ones."""
        all_sequences, all_pictures = (*self.sequences, *sequences), (*self.pictures, *pictures)
        record = [self.data[:5], bytes([0xE0 | len(all_sequences)])]
        record += [_sized(unit, 2) for unit in all_sequences]
        record += [bytes([len(all_pictures)]), *(_sized(unit, 2) for unit in all_pictures)]
        return b"".join(record) + self.extension

    def free_id(self, packets: Iterable[Any]) -> int | None:
        """An id that no set has, neither of the header nor of the packets; null where all are taken."""
        taken = {_id_of(unit) for unit in (*self.sequences, *self.pictures)}
        for packet in packets:
            taken |= {_id_of(unit) for unit in units(packet, self.length_size) if unit[0] & 31 in (SEQUENCE, PICTURE)}
        return next((number for number in range(MOST_SETS, -1, -1) if number not in taken), None)

    def packed(self, some: Iterable[bytes]) -> bytes:
        """Units as a packet of this stream keeps them."""
        return b"".join(_sized(unit, self.length_size) for unit in some)


def units(packet: Any, length_size: int) -> Iterator[memoryview]:
    """The units of a packet with lengths before them; no empty ones."""
    data, at = memoryview(packet), 0
    while at + length_size < len(data):
        length = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        if length:
            yield data[at : at + length]
        at += length


def units_between_start_codes(data: bytes) -> list[bytes]:
    """The units of a packet as encoders give it."""
    starts, at = [], data.find(b"\0\0\1")
    while at >= 0:
        starts.append(at)
        at = data.find(b"\0\0\1", at + 3)
    # A unit never ends with a zero: those before the next start code belong to that.
    return [data[start + 3 : end].rstrip(b"\0") for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def is_idr(packet: Any, stream: Any) -> bool:
    """Whether decoding can start at a packet: recovery points are marked as key frames, too, but need pictures before
    them."""
    header = Header.of(stream)
    return header is not None and any(unit[0] & 31 == IDR for unit in units(packet, header.length_size))


def _sized(unit: bytes, size: int) -> bytes:
    return len(unit).to_bytes(size, "big") + unit


def _sets(data: bytes, at: int, count: int) -> tuple[tuple[bytes, ...], int]:
    found = []
    for _ in range(count):
        length = int.from_bytes(data[at : at + 2], "big")
        if not length or at + 2 + length > len(data):
            raise IndexError("A parameter set ends behind the record")
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return tuple(found), at


def _id_of(unit: Any) -> int:
    """The first number of a parameter set, behind profile and level in that of a sequence (9.1, Exp-Golomb)."""
    first = 4 if unit[0] & 31 == SEQUENCE else 1
    bits = "".join(f"{byte:08b}" for byte in bytes(unit[first : first + 4]))
    zeros = len(bits) - len(bits.lstrip("0"))
    return int(bits[zeros : 2 * zeros + 1] or "1", 2) - 1
