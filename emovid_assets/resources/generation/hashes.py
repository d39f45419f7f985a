"""What files hold that take long to read: read once, and known again by size and time.

Belongs here: that memory, and SHA-256 of files that may be many gigabytes. Does not belong here: whose files they are.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from emovid_assets.core.identity import file_sha256
from emovid_assets.resources.item_store import FinishedItem, ItemStore
from emovid_assets.resources.workplace import ALL_DOMAINS

STEP = "file_hash"
"""Not among the files of the library: `emovid verify` proves those, and a model may be another one tomorrow."""
UNREAD = "unread"
"""Stands for the hash of a file that nobody has read yet, where none is to be read."""


class Remembered:
    """Plain values by absolute path. `reads`: whether files that are not known are read, which whoever only looks does
    not do."""

    def __init__(self, store: ItemStore, step: str, *, reads: bool) -> None:
        self._store, self._step, self.reads = store, step, reads
        self._known = dict(store.finished(step, ALL_DOMAINS))

    def of(self, path: Path, read: Callable[[Path], dict[str, Any]], how: str = "") -> dict[str, Any] | None:
        """What `read` found, now or earlier; null where it is not known and nothing is to be read. `how`: what else
        that depends on. Raises OSError where the file is not there, and what `read` raises."""
        status = path.stat()
        stamp = "|".join(filter(None, (str(status.st_size), str(status.st_mtime_ns), how)))
        known, found = self._known.get(str(path), ("", {}))
        if known == stamp:
            return found
        if not self.reads:
            return None
        found = read(path)
        self._known[str(path)] = stamp, found
        self._store.settle(self._step, ALL_DOMAINS, [FinishedItem(str(path), stamp, found)])
        return found


class Hashes:
    """By absolute path. `reads` as that of `Remembered`."""

    def __init__(self, store: ItemStore, *, reads: bool) -> None:
        self._known = Remembered(store, STEP, reads=reads)
        self.reads = reads
        self.is_guess = False
        """Whether the hash of a file was asked for that nobody has read."""

    def of(self, path: Path) -> str:
        """Raises OSError where the file cannot be read."""
        found = self._known.of(path, lambda file: {"sha256": file_sha256(file)})
        if found is None:
            self.is_guess = True
            return UNREAD
        return str(found["sha256"])
