"""Whether the catalogue and the report are whole, by what their own bytes say: a few are read, nothing is opened.

Belongs here: that. Does not belong here: writing them, and whether they show what there is now (`freshness`). A byte in
the middle that is another one is not seen.
"""

import os
from pathlib import Path

CATALOGUE_FOLDER = ".catalogue-"
"""How the names begin of folders in a home that hold a catalogue each; a link leads to the present one."""
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
    """Whether it is a file of DuckDB with as many bytes as were noted; by its beginning alone where none were."""
    try:
        noted = _noted_sizes(path)
        with path.open("rb") as file:
            begin, size = file.read(_BLOCKS_FROM), os.fstat(file.fileno()).st_size
    except (OSError, ValueError):
        return False
    is_database = len(begin) == _BLOCKS_FROM and begin[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC
    return is_database and (not noted or size in noted)


def _noted_sizes(path: Path) -> set[int]:
    """Of the catalogue to which the link leads; of all that were made where a copy of the home has a file for it."""
    folders = [path.resolve().parent] if path.is_symlink() else path.parent.glob(f"{CATALOGUE_FOLDER}*")
    return {int(file.read_text(encoding="ascii")) for one in folders if (file := one / SIZE_FILE).exists()}


def is_whole_report(path: Path) -> bool:
    """Whether it begins and ends as a page does."""
    try:
        with path.open("rb") as file:
            begin, size = file.read(len(_PAGE_BEGINS)), os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _END_READ))
            return begin == _PAGE_BEGINS and file.read().rstrip().endswith(_PAGE_ENDS)
    except OSError:
        return False
