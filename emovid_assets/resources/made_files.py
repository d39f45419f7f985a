"""Files that items have made: with which sizes they were written, and whether they still have them.

Belongs here: that comparison, which build, plan and status share. Does not belong here: what is in a file
(`checks.proofs` reads them all), and what follows where one is not whole (`compute`, `freshness`).

A size costs one question to the file system and no reading. It finds what is gone, what is empty or cut short after a
power cut, and what another program has written over, unless that has just as many bytes.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

Sizes = Mapping[str, int | None]
"""Bytes by path below the home folder; null where the size was not noted when the file was made."""


def sizes_of(home: Path, paths: Iterable[str]) -> dict[str, int | None]:
    """Sizes as they are now; null of what is not there."""
    return {path: _size(f"{home}/{path}") for path in paths}


def are_whole(home: Path, made: Sizes) -> bool:
    """Whether every file is there with its size. One whose size is not known must not be empty: no medium is."""
    return all_are_whole(home, [made])


def all_are_whole(home: Path, many: Iterable[Sizes]) -> bool:
    """The same of many items: two million files take some five seconds of processor."""
    root, stat = f"{home}/", os.stat
    for made in many:
        for path, size in made.items():
            try:
                found = stat(root + path).st_size
            except OSError:
                return False
            if found != size and (size is not None or not found):
                return False
    return True


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None
