"""The files from which a person rebuilds a release: what lies in a folder, hashed and read once.

Belongs here: finding media, by their bytes and by their pictures. Does not belong here: which of them are wanted, and
what is cut of them (`rebuilding`).
"""

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.core import side_files
from emovid_assets.core.identity import file_sha256
from emovid_assets.core.video.probe import Limits
from emovid_assets.home.settings import MediaSettings
from emovid_assets.resources import media_steps
from emovid_assets.resources.compute import Item, Outcome, Progress, Step, compute
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library_files import LibraryEntry, entry_of, walk
from emovid_assets.resources.release import rebuild_steps
from emovid_assets.resources.workplace import ALL_DOMAINS

HASHED_AT_ONCE = 64
"""Hashes that are noted together: a killed run hashes no more than these again."""

LOG = logging.getLogger("emovid.rebuild")
LOG.addHandler(logging.NullHandler())
# What cannot be read is said in the report; most files of a folder are none that anybody asked for.
LOG.propagate = False


@dataclass(frozen=True)
class SourceFile:
    """A file below the folder. `name`: its path there."""

    name: str
    path: str
    size_bytes: int
    mtime_ns: int

    @property
    def stamp(self) -> dict[str, int]:
        return {"size_bytes": self.size_bytes, "mtime_ns": self.mtime_ns}


@dataclass(frozen=True)
class Bench:
    """Where items are computed: the state and the folder of a rebuilding, and how many processes."""

    store: ItemStore
    folder: Path
    workers: int
    tell: Progress

    def compute(self, step: Step, items: Iterable[Item]) -> Outcome:
        """As an asset does, with the limits that a home has unless it says otherwise; what is known stays known."""
        limits = MediaSettings()
        return compute(
            self.store,
            step,
            ALL_DOMAINS,
            items,
            home=self.folder,
            workers=self.workers,
            timeout_s=limits.timeout_s,
            memory_mb=limits.memory_mb,
            keep_others=True,
            log=LOG,
            progress=lambda _, done, of: self.tell(step.name, done, of),
        )


def files_below(folder: Path, others: Iterable[Path]) -> list[SourceFile]:
    """Every file below a folder that may be a medium, by name, but for those in `others` that lie below it too."""
    root = os.path.realpath(folder)
    apart = tuple(f"{path}{os.sep}" for path in map(os.path.realpath, others) if path.startswith(f"{root}{os.sep}"))
    found = []
    for entry, kind in walk(root):
        if kind or side_files.kind_of(entry.name) or os.path.realpath(entry.path).startswith(apart):
            continue
        one: LibraryEntry = entry_of(os.path.relpath(entry.path, root), entry)
        if one.fault is None and one.stamp[0]:
            found.append(SourceFile(one.name, one.path, *one.stamp))
    return sorted(found, key=lambda one: one.name)


def hashed(bench: Bench, files: list[SourceFile], told: str) -> Iterator[tuple[SourceFile, str]]:
    """(file, SHA-256) of each that can be read. Files that are as they were are not read again."""
    known = bench.store.known_hashes()
    todo = []
    for file in files:
        if known.get(file.path, ())[:2] == (file.size_bytes, file.mtime_ns):
            yield file, known[file.path][2]
        else:
            todo.append(file)
    if not todo:
        return
    bench.tell(told, 0, len(todo))
    # Hashing leaves Python's lock.
    with ThreadPoolExecutor(bench.workers or os.cpu_count()) as pool:
        for begin in range(0, len(todo), HASHED_AT_ONCE):
            some = todo[begin : begin + HASHED_AT_ONCE]
            sums = [(one, sha256) for one, sha256 in zip(some, pool.map(_sha256, some), strict=True) if sha256]
            bench.store.remember_hashes((one.path, one.size_bytes, one.mtime_ns, sha256) for one, sha256 in sums)
            bench.tell(told, begin + len(some), len(todo))
            yield from sums


def probed(bench: Bench, files: Mapping[str, SourceFile], audio_language: str) -> Outcome:
    """`tracks` and the facts of each file, by its SHA-256."""
    step = Step("probe", media_steps.PROBE_VERSION, json.dumps(audio_language), media_steps.probe)
    limits = vars(Limits())
    arguments = {"limits": limits, "audio_language": audio_language}
    return bench.compute(step, (_item(sha256, file, arguments) for sha256, file in sorted(files.items())))


def films(bench: Bench, files: Mapping[str, SourceFile], facts: Mapping[str, Mapping[str, Any]]) -> Outcome:
    """All pictures of each file that could be probed, by its SHA-256 (`rebuild_steps.film_of`)."""
    step = Step("film", rebuild_steps.FILM_VERSION, "", rebuild_steps.film)
    return bench.compute(
        step,
        (
            _item(sha256, files[sha256], {"tracks": facts[sha256]["tracks"]})
            for sha256 in sorted(files)
            if sha256 in facts
        ),
    )


def _item(sha256: str, file: SourceFile, arguments: dict[str, Any]) -> Item:
    return Item(
        sha256,
        content=f"{sha256}|{json.dumps(arguments.get('tracks'))}",
        arguments={"path": file.path, "stamp": file.stamp, **arguments},
        path=file.name,
        input_sha256=sha256,
        weight=file.size_bytes,
    )


def _sha256(file: SourceFile) -> str | None:
    try:
        return file_sha256(Path(file.path))
    except OSError:
        return None
