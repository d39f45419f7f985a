"""Animations out of folders and archives that a person names, with the facts of their manifest.

Belongs here: the way of a file from a set into the library. Does not belong here: reading sets (`archives`).

An animation is known by its set and its id or path in it: the same set, given again, brings only what is not there. A
set is known by where it lies. One that was moved is another one, whose files show what those of the first do.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from emovid_assets.core.collection.animation import ORIGIN, TABLE, Listing, read_listing
from emovid_assets.core.collection.file_kinds import HEAD_BYTES, kind_of
from emovid_assets.core.collection.terms import RESEARCH_ONLY, TERMS
from emovid_assets.core.filled_tables import read_text
from emovid_assets.core.identity import file_sha256
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import CollectionSettings
from emovid_assets.resources.collection.archives import TOO_MUCH, ArchiveError, FileSet, Reading
from emovid_assets.resources.collection.budget import Budget, Report
from emovid_assets.resources.collection.shelf import Shelf
from emovid_assets.resources.collection.store import CollectionStore, ItemState
from emovid_assets.resources.library_files import MANIFEST

DOMAIN = "animation"
FREE_BYTES = 200_000_000
"""What is left free on the disk, whatever an archive holds."""

Progress = Callable[[str, int, int], None]


def animation_items(home: Home, store: CollectionStore) -> list[ItemState]:
    """Every animation of a set that was read. One whose file somebody has removed is wanted again."""
    items = list(store.items(DOMAIN).values())
    for item in items:
        if item.status == "present" and not (item.path and (home.root / item.path).exists()):
            item.status, item.path = "wanted", None
    return items


def animation_row(item: ItemState) -> dict[str, Any]:
    """A row of `wanted_videos`."""
    texts = ("title", "origin_url", "attribution", "license", "terms_url")
    empty = ("film_id", "film_position", "film_video_count", "year", "official_split", "trim_s", "intended_emotion")
    return {
        **{name: item.facts.get(name) for name in texts},
        **dict.fromkeys(empty),
        "is_position_shared": False,
        "genres": [],
        "found_emotions": [],
        "is_ambiguous": False,
    }


def collect_animations(
    home: Home,
    store: CollectionStore,
    settings: CollectionSettings,
    budget: Budget,
    report: Report,
    log: logging.Logger,
    progress: Progress,
    *,
    sources: Sequence[str] = (),
    is_dry: bool = False,
) -> None:
    """Takes what is due out of the sets that are named here or in the settings."""
    named = list(dict.fromkeys((*sources, *settings.animation_sources)))
    if not named:
        report.notes.append("name a folder or an archive with --from, or in collection.animation_sources")
    shelf = Shelf(home, DOMAIN)
    for source in named:
        taking = _Taking(home, store, settings, budget, report, log, shelf, is_dry=is_dry)
        try:
            taking.take(Path(source).expanduser(), progress)
        except ArchiveError as error:
            report.notes.append(str(error))
    if not is_dry:
        shelf.rewrite({})


class _Taking:
    """One set."""

    def __init__(
        self,
        home: Home,
        store: CollectionStore,
        settings: CollectionSettings,
        budget: Budget,
        report: Report,
        log: logging.Logger,
        shelf: Shelf,
        *,
        is_dry: bool,
    ) -> None:
        self._home, self._store, self._settings, self._budget = home, store, settings, budget
        self._report, self._log, self._shelf = report, log, shelf
        self._is_dry = is_dry
        self._name = ""
        self._originals: dict[str, str] = {}

    def take(self, path: Path, progress: Progress) -> None:
        """Raises ArchiveError where the set cannot be read any further."""
        files = FileSet(path)
        with files.open():
            text = files.text(MANIFEST)
            if text is None:
                raise ArchiveError(f"{path}: there is no {MANIFEST} at its top, so nobody knows what the files are")
            table = read_text(text, TABLE)
            open_rows = (row.fault for row in table.rows if not row.is_shifted)
            for fault in filter(None, (table.unreadable, *open_rows)):
                raise ArchiveError(f"{path}: {MANIFEST}, {fault}")
            listing = read_listing(table)
            self._report.notes += [f"{path.name}: {fault}" for fault in listing.faults[:20]]
            self._name = self._store.name_of_set(DOMAIN, path.resolve(), is_kept=not self._is_dry)
            due = self._due(listing)
            self._report.due += len(due)
            if not self._is_dry:
                self._shelf.prepare()
                self._read(path, files, listing, due, progress)
            self._report.notes += [f"{path.name}: {said}" for said in files.refused]

    def _due(self, listing: Listing) -> dict[str, ItemState]:
        """Item by path within the set of what is to be taken now; all of the manifest is known from here on."""
        states = {item.external_id: item for item in animation_items(self._home, self._store)}
        if not self._is_dry:
            self._originals = self._of_other_sets(states.values())
        admitted = {facts.get("external_id"): name for name, facts in self._shelf.rows().items()}
        due = {}
        with self._store.together():
            for name, facts in listing.facts.items():
                # Sets number their files each for itself.
                external_id = f"{self._name}/{facts.get('external_id') or name}"
                item = states.get(external_id) or ItemState(ORIGIN, external_id)
                item.facts = self._facts(external_id, facts)
                there = self._shelf.folder / admitted.get(external_id, "")
                if item.status != "present" and there.is_file():
                    # A kill came between the file and its state, or the state was lost.
                    item.status, item.path = "present", self._home.relative(there)
                if not self._is_dry:
                    self._store.put(DOMAIN, item)
                # The set is at hand: nobody has to be waited for, and it may be a better copy than last time.
                if item.status not in ("present", "duplicate"):
                    due[name] = item
        return due

    def _of_other_sets(self, items: Iterable[ItemState]) -> dict[str, str]:
        """The id by SHA-256 of every file that came out of another set."""
        found = {}
        for item in items:
            if item.status != "present" or not item.path or item.external_id.startswith(f"{self._name}/"):
                continue
            if item.fingerprint is None:
                try:
                    item.fingerprint = {"sha256": file_sha256(self._home.root / item.path)}
                except OSError:
                    # What cannot be read now can be shown by another file.
                    continue
                self._store.put(DOMAIN, item)
            found[item.fingerprint["sha256"]] = item.external_id
        return found

    def _facts(self, external_id: str, facts: dict[str, str]) -> dict[str, str]:
        usual = {"attribution": TERMS[ORIGIN].attribution, "license": RESEARCH_ONLY}
        return {**usual, **facts, "external_id": external_id, "origin": ORIGIN}

    def _read(
        self, path: Path, files: FileSet, listing: Listing, due: dict[str, ItemState], progress: Progress
    ) -> None:
        left, total = files.max_bytes(), min(len(due), max(self._budget.items, 0))
        missing = dict(due)
        for reading in files.files(wanted=frozenset(due)):
            if self._budget.is_spent:
                self._report.stopped = "the budget of this run is spent"
                return
            item = missing.pop(reading.name, None)
            if item is None:
                # The same name a second time.
                continue
            size = self._one(reading, item, left)
            if left is not None:
                left -= size
                if left <= 0:
                    raise ArchiveError(f"{path}: {TOO_MUCH}")
            self._report.tried += 1
            progress(f"collect [{DOMAIN}]", self._report.tried, total)
        for item in missing.values():
            self._end(item, "unavailable", "not_in_set", "the manifest names it, but the set does not hold it")

    def _one(self, reading: Reading, item: ItemState, left: int | None) -> int:
        """Takes one file; how many bytes were read."""
        limit = min(self._settings.max_file_mb * 1_000_000, left if left is not None else 1 << 62)
        self._require_room(limit)
        temporary = self._shelf.partial / f"{hashlib.sha256(item.external_id.encode()).hexdigest()[:16]}.tmp"
        try:
            with temporary.open("wb") as target:
                size = reading.copy(target, limit)
            if size is None:
                said = f"it is larger than collection.max_file_mb = {self._settings.max_file_mb} allows"
                self._end(item, "failed", "too_large", said)
                return limit
            self._budget.spend(size)
            self._report.bytes += size
            with temporary.open("rb") as file:
                kind = kind_of(file.read(HEAD_BYTES))
            if kind is None:
                self._end(item, "failed", "wrong_type", "it is no video or animated picture of a known kind")
                return size
            self._budget.take_item()
            item.code = item.reason = item.next_try_at = None
            item.fingerprint = {"sha256": file_sha256(temporary)}
            original = self._originals.get(item.fingerprint["sha256"])
            if original is not None:
                item.status, item.duplicate_of = "duplicate", f"{ORIGIN}/{original}"
                self._store.put(DOMAIN, item)
                self._report.ends["duplicate"] += 1
                return size
            try:
                item.path = self._shelf.admit(temporary, f"{_plain(self._name)}/{reading.name}", item.facts)
            except (NotADirectoryError, IsADirectoryError, FileExistsError):
                self._end(item, "failed", "bad_name", "another file of the set bears a part of its path as its name")
                return size
            item.status = "present"
            self._store.put(DOMAIN, item)
            self._report.fetched += 1
            self._report.ends["present"] += 1
            return size
        finally:
            temporary.unlink(missing_ok=True)

    def _end(self, item: ItemState, status: str, code: str, reason: str) -> None:
        item.status, item.code, item.reason = status, code, reason
        item.attempt_count += 1
        self._store.put(DOMAIN, item)
        self._report.ends[status] += 1
        self._log.info(f"{item.external_id}: {status} ({code}): {reason}")

    def _require_room(self, size: int) -> None:
        free = shutil.disk_usage(self._shelf.partial).free
        if free < FREE_BYTES:
            raise OSError(28, os.strerror(28), str(self._shelf.folder))


def _plain(name: str) -> str:
    """A folder's name out of a set's."""
    stem = Path(name).stem
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in stem).strip("_") or "set"
