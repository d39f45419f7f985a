"""Which packets of a video are pictures that somebody sees.

Belongs here: what a packet's own bytes say of that, so that pictures can be counted without decoding. Does not belong
here: what a container's edit list hides.

VP8 and VP9 encode pictures that only serve as references (RFC 6386, 9.1; VP9 bitstream specification, 7.2). AV1, H.264
and HEVC have at least one shown picture in each packet of a container.
"""

from typing import Any


def is_shown(codec: str, packet: Any) -> bool:
    """Whether a packet holds a picture that is shown. `codec`: its canonical name."""
    look = _LOOKS.get(codec)
    return bool(packet.size) and (look is None or look(memoryview(packet)))


def _vp8(data: memoryview) -> bool:
    """The frame tag: one bit of type, three of version, then `show_frame`."""
    return bool(data[0] >> 4 & 1)


def _vp9(data: memoryview) -> bool:
    """The uncompressed header of a single frame; a superframe is made to carry a shown one."""
    first, last = data[0], data[-1]
    if last >> 5 == 0b110 and len(data) > 1 and data[-_index_size(last)] == last:
        return True
    # Marker 2, profile 2 bits (low, high), reserved only in profile 3, `show_existing_frame`, type, `show_frame`.
    at = 4 + (first >> 4 & 3 == 3)
    is_existing, is_frame_shown = first >> (7 - at) & 1, first >> (5 - at) & 1
    return bool(is_existing or is_frame_shown)


def _index_size(marker: int) -> int:
    """Bytes of the index at the end of a VP9 superframe."""
    return 2 + ((marker >> 3 & 3) + 1) * ((marker & 7) + 1)


_LOOKS = {"vp8": _vp8, "vp9": _vp9}
