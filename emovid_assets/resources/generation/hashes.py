"""SHA-256 of files that may be many gigabytes: read once, and known again by size and time.

Belongs here: that memory. Does not belong here: whose files they are.
"""

from pathlib import Path

from emovid_assets.core.identity import file_sha256
from emovid_assets.resources.item_store import FinishedItem, ItemStore
from emovid_assets.resources.workplace import ALL_DOMAINS

STEP = "file_hash"
"""Not among the files of the library: `emovid verify` proves those, and a model may be another one tomorrow."""
UNREAD = "unread"
"""Stands for the hash of a file that nobody has read yet, where none is to be read."""


class Hashes:
    """By absolute path. `reads`: whether files that are not known are read, which whoever only looks does not do."""

    def __init__(self, store: ItemStore, *, reads: bool) -> None:
        self._store, self.reads = store, reads
        self.is_guess = False
        """Whether the hash of a file was asked for that nobody has read."""
        self._known = {path: (key, found["sha256"]) for path, (key, found) in store.finished(STEP, ALL_DOMAINS)}

    def of(self, path: Path) -> str:
        """Raises OSError where the file cannot be read."""
        status = path.stat()
        stamp = f"{status.st_size}|{status.st_mtime_ns}"
        known, sha256 = self._known.get(str(path), ("", ""))
        if known == stamp:
            return sha256
        if not self.reads:
            self.is_guess = True
            return UNREAD
        sha256 = file_sha256(path)
        self._known[str(path)] = stamp, sha256
        self._store.settle(STEP, ALL_DOMAINS, [FinishedItem(str(path), stamp, {"sha256": sha256})])
        return sha256
