"""Whether the catalogue and the report are whole, by what their own bytes say: a few are read, nothing is opened.

Belongs here: that. Does not belong here: writing them, and whether they show what there is now (`freshness`). A byte in
the middle that is another one is not seen.
"""

import os
from pathlib import Path

SIZE_FILE = "size"
"""Beside a catalogue that was made here: its bytes. DuckDB's own header may count blocks that it has cut off again."""
_MAGIC, _MAGIC_AT = b"DUCK", 8
_BLOCKS_FROM = 12288
_PAGE_BEGINS, _PAGE_ENDS = b"<!doctype html>", b"</html>"
_END_READ = 64


def note_size(path: Path) -> None:
    """To be known again by `is_whole_catalogue`."""
    path.with_name(SIZE_FILE).write_text(str(path.stat().st_size), encoding="ascii")


def is_whole_catalogue(path: Path) -> bool:
    """Whether it leads to a file of DuckDB with as many bytes as were noted; by its beginning alone where none were.

    A catalogue is put into place as a link. A file there was put by somebody else, and nothing says how long it was.
    """
    if not path.is_symlink():
        return False
    try:
        noted = path.resolve().with_name(SIZE_FILE)
        wanted = int(noted.read_text(encoding="ascii")) if noted.exists() else None
        with path.open("rb") as file:
            begin, size = file.read(_BLOCKS_FROM), os.fstat(file.fileno()).st_size
    except (OSError, ValueError):
        return False
    is_database = len(begin) == _BLOCKS_FROM and begin[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC
    return is_database and wanted in (None, size)


def is_whole_report(path: Path) -> bool:
    """Whether it begins and ends as a page does."""
    try:
        with path.open("rb") as file:
            begin, size = file.read(len(_PAGE_BEGINS)), os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _END_READ))
            return begin == _PAGE_BEGINS and file.read().rstrip().endswith(_PAGE_ENDS)
    except OSError:
        return False
