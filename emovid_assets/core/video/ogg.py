"""The pages of an Ogg file (RFC 3533), and whether it was cut off.

Belongs here: walking pages without a decoder.

Ogg declares no length, and a decoder plays what is there: the only trace of a cut is a last page that is not marked as
the end of its stream, or that is not whole. FFmpeg's muxer always marks it, so there its absence is proof. Of others it
is none: recorders stop without the mark, and films of old web pages end within a page.
"""

from mmap import mmap

BEGINNING_OF_STREAM, END_OF_STREAM = 2, 4
PICTURES = (b"\x80theora", b"OVP80", b"BBCD\0")
"""How the first packet of Theora, VP8 and Dirac begins."""
OWN_VENDORS = (b"Lavf", b"ffmpeg")
"""Whose name FFmpeg's muxer writes at the beginning of the comments: `ffmpeg` where it may not say its version."""
VENDOR_WITHIN_BYTES = 24


def cut(data: mmap) -> str | None:
    """How a file that FFmpeg wrote ends before its pictures do, as a sentence; null where it does not."""
    at = 0
    page_count: dict[bytes, int] = {}
    open_streams: set[bytes] = set()
    while 0 <= at <= len(data) - 27:
        table_end = at + 27 + data[at + 26]
        end = table_end + sum(data[at + 27 : table_end])
        serial, body = data[at + 14 : at + 18], data[table_end : table_end + VENDOR_WITHIN_BYTES]
        if data[at + 5] & BEGINNING_OF_STREAM and body.startswith(PICTURES):
            page_count[serial] = 0
        elif serial in page_count:
            page_count[serial] += 1
            if page_count[serial] == 1 and any(vendor in body for vendor in OWN_VENDORS):
                open_streams.add(serial)
            if end > len(data) and serial in open_streams:
                return f"The file ends at byte {len(data)}, within a page of its container"
            if data[at + 5] & END_OF_STREAM:
                open_streams.discard(serial)
        at = end if data[end : end + 4] == b"OggS" else data.find(b"OggS", end)
    return "The file ends before the last page of its pictures" if open_streams else None
