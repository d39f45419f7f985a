"""The size of pictures by the bytes of a key frame. What a container says holds for its first picture.

Belongs here: headers of VP8 (RFC 6386, 9.1) and VP9 (bitstream specification, 6.2), which may change the size at any
key frame without a word in the container.
"""

from typing import Any

_LONGEST = 10
_VP8_START, _VP9_SYNC = b"\x9d\x01\x2a", b"\x49\x83\x42"


def picture_size(codec: str, key_frame: Any) -> tuple[int, int] | None:
    """Width and height in pixels; null where packets of the codec are not asked, or the header is no such one.

    `codec`: its canonical name. VP9 of 8 bits and 4:2:0 only.
    """
    look = _LOOKS.get(codec)
    return look(bytes(memoryview(key_frame)[:_LONGEST])) if look else None


def _vp8(data: bytes) -> tuple[int, int] | None:
    """A tag of three bytes, a start code, two numbers of 14 bits, each below two bits that ask for scaling."""
    if data[3:6] != _VP8_START or len(data) < 10:
        return None
    return int.from_bytes(data[6:8], "little") & 0x3FFF, int.from_bytes(data[8:10], "little") & 0x3FFF


def _vp9(data: bytes) -> tuple[int, int] | None:
    """A byte, a sync code, three bits of colour space, one of range, two numbers of 16 bits, each one too small."""
    if data[1:4] != _VP9_SYNC or len(data) < 9:
        return None
    bits = int.from_bytes(data[4:9], "big")
    return (bits >> 20 & 0xFFFF) + 1, (bits >> 4 & 0xFFFF) + 1


_LOOKS = {"vp8": _vp8, "vp9": _vp9}
