"""Whether the catalogue and the report are whole, by what their own bytes say: a few are read, nothing is opened.

Belongs here: that. Does not belong here: writing them, and whether they show what there is now (`freshness`). A byte in
the middle that is another one is not seen. DuckDB's file format is what 2.0 writes; a test holds that it still does.
"""

import os
import struct
from pathlib import Path

_MAGIC, _MAGIC_AT = b"DUCK", 8
_HEADERS_AT = (4096, 8192)
_BLOCKS_FROM = 12288
_HEADER = struct.Struct("<QQQQQQ")
"""Checksum, number of the writing, two addresses, blocks, bytes a block; the header of the later writing counts."""
_PAGE_BEGINS, _PAGE_ENDS = b"<!doctype html>", b"</html>"
_END_READ = 64


def is_whole_catalogue(path: Path) -> bool:
    """Whether it is a file of DuckDB with as many bytes as it says itself."""
    try:
        with path.open("rb") as file:
            begin, size = file.read(_BLOCKS_FROM), os.fstat(file.fileno()).st_size
    except OSError:
        return False
    if len(begin) < _BLOCKS_FROM or begin[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] != _MAGIC:
        return False
    *_, block_count, block_size = max(
        (_HEADER.unpack_from(begin, at) for at in _HEADERS_AT), key=lambda found: found[1]
    )
    return bool(size >= _BLOCKS_FROM + block_count * block_size)


def is_whole_report(path: Path) -> bool:
    """Whether it begins and ends as a page does."""
    try:
        with path.open("rb") as file:
            begin, size = file.read(len(_PAGE_BEGINS)), os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _END_READ))
            return begin == _PAGE_BEGINS and file.read().rstrip().endswith(_PAGE_ENDS)
    except OSError:
        return False
