"""The stamps of a Matroska file's packets, read and overwritten in its bytes, for tests.

Muxers refuse stamps that run backwards; files have them. Walks what FFmpeg's muxer writes: clusters of simple blocks.
"""

import struct
from pathlib import Path
from typing import NamedTuple

_CLUSTER, _TIMESTAMP, _SIMPLE_BLOCK = bytes.fromhex("1f43b675"), b"\xe7", b"\xa3"
_WITH_CHILDREN = (bytes.fromhex("18538067"), _CLUSTER)


class Block(NamedTuple):
    """`at`: the byte of the 16-bit stamp within the file; `cluster_ms` is added to it."""

    at: int
    cluster_ms: int
    track: int
    stamp_ms: int


def blocks(data: bytes) -> list[Block]:
    found = []
    at = cluster_ms = 0
    while at < len(data):
        name = data[at : at + 9 - data[at].bit_length()]
        at += len(name)
        width = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1)
        at += width
        if name == _TIMESTAMP:
            cluster_ms = int.from_bytes(data[at : at + size], "big")
        elif name == _SIMPLE_BLOCK:
            (stamp,) = struct.unpack_from(">h", data, at + 1)
            found.append(Block(at + 1, cluster_ms, data[at] & 0x7F, cluster_ms + stamp))
        if name not in _WITH_CHILDREN:
            at += size
    return found


def restamp(source: Path, target: Path, stamps_ms: dict[int, int], track: int = 1) -> Path:
    """A copy in which packets of a track, by their number, have other stamps."""
    data = bytearray(source.read_bytes())
    for number, block in enumerate(block for block in blocks(bytes(data)) if block.track == track):
        if number in stamps_ms:
            struct.pack_into(">h", data, block.at, stamps_ms[number] - block.cluster_ms)
    target.write_bytes(data)
    return target
