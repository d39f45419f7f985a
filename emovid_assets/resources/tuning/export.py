"""A folder that a trainer reads: clips encoded for it, their captions, its settings, how it is started.

Belongs here: what `emovid train export` does: what is missing is made, what is there and whole stays, what no longer
belongs goes. Does not belong here: what a trainer must find (`core.tuning.trainers`), which clips there are
(`choosing`), how one becomes a file (`encoding`).

A file gets its name once it is complete and noted (`manifest`), so an export that was killed goes on where it was.
Files that nobody noted are left alone, and so are settings that people have changed.
"""

import hashlib
import json
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emovid_assets.core.placing import leftovers_below, make_folder, move_into_place, put_all, remove
from emovid_assets.core.tuning.rows import TOO_SHORT
from emovid_assets.core.tuning.trainers.shape import Example, Exported
from emovid_assets.home.file_lock import locked
from emovid_assets.home.folders import Home
from emovid_assets.resources.tuning.choosing import Chosen, LeftOut, NothingToExportError, Wish, choose, too_short_for
from emovid_assets.resources.tuning.encoding import VERSION, encode
from emovid_assets.resources.tuning.manifest import (
    LOCK,
    File,
    Known,
    NotOursError,
    is_whole,
    known_files,
    notes,
    write_manifest,
)
from emovid_assets.resources.workers import Done, open_workers

Tell = Callable[[str, int, int], None]
NEW = ".new"
"""Ends the name of settings that would have replaced some that a person has changed."""
TEXTS_AT_ONCE = 256


@dataclass
class Report:
    """What an export did. `kept`: settings that people have changed, which stay; a new one lies beside where there is
    one. `strangers`: files that are wanted no more, and stay because somebody has changed them."""

    exported: Exported
    left_out: LeftOut
    made_count: int = 0
    there_count: int = 0
    removed_count: int = 0
    size_bytes: int = 0
    kept: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def counts(self) -> Counter[tuple[str, str]]:
        """Clips by (size, domain)."""
        return Counter((str(example.size), example.domain) for example in self.exported.examples)


def export(home: Home, wish: Wish, folder: Path, tell: Tell = lambda step, done, of: None) -> Report:
    """Brings the folder to what is wished for. `tell` gets a step, how many are done, and of how many.

    Raises NothingToExportError, NotOursError, SettingsError; WorkersCannotStartError and OSError as they come.
    """
    chosen, left_out = choose(home, wish)
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise NotOursError(f"{folder} is a file: give a new folder with -o")
    purpose = {"trainer": wish.trainer.name, "family": wish.family.name}
    if folder.exists():
        # Before anything is written into a folder of somebody else.
        known_files(folder, purpose)
    make_folder(folder)

    def busy() -> None:
        raise NotOursError(f"{folder} is being written by another export: wait until it has ended")

    with locked(folder / LOCK, busy):
        known = known_files(folder, purpose)
        for leftover in list(leftovers_below(folder)):
            remove(leftover)
        with notes(folder, purpose) as noted:
            work = _Work(home, wish, folder, known, tell, left_out)
            files = work.clips(chosen, noted.add)
            report = work.report(chosen, files)
            texts = work.texts(report, noted.add)
            work.remove_others(report, {*files.values(), *texts})
            write_manifest(folder, _content(wish, chosen, files, texts, report))
    return report


class _Work:
    def __init__(self, home: Home, wish: Wish, folder: Path, known: Known, tell: Tell, left_out: LeftOut) -> None:
        self._home, self._wish, self._folder = home, wish, folder
        self._known, self._tell, self._left_out = known, tell, left_out
        self._made_count = 0

    def clips(self, chosen: Sequence[Chosen], note: Callable[[Iterable[File]], None]) -> dict[str, File]:
        """Files by clip: those that are there and whole, and the others made."""
        there = self._there(chosen)
        missing = [one for one in chosen if one.clip_id not in there]
        return there | self._made(missing, note)

    def _there(self, chosen: Sequence[Chosen]) -> dict[str, File]:
        by_key = self._known.by_key()
        found: dict[str, File] = {}
        candidates = [(one, file) for one in chosen if (file := by_key.get(self._key(one)))]
        for done, (one, file) in enumerate(candidates, start=1):
            if file.path == self._path(one, file.frame_count) and is_whole(self._folder, file):
                found[one.clip_id] = file
            self._tell("files that are there", done, len(candidates))
        return found

    def _made(self, missing: Sequence[Chosen], note: Callable[[Iterable[File]], None]) -> dict[str, File]:
        settings = self._home.settings().media
        by_id = {one.clip_id: one for one in missing}
        temporary = {one.clip_id: self._temporary(one) for one in missing}
        tasks = [(one.clip_id, self._arguments(one, temporary[one.clip_id])) for one in missing]
        found: dict[str, File] = {}
        done_count = 0
        count = settings.workers or os.cpu_count() or 1
        with (
            open_workers(min(count, max(1, len(tasks))), settings.memory_mb) as workers,
            closing(workers.run(encode, tasks, settings.timeout_s)) as ends,
        ):
            for several in ends:
                for end in several:
                    one = by_id[end.item_id]
                    done_count += 1
                    self._tell("clips", done_count, len(missing))
                    if end.code == "write_failed":
                        raise OSError(f"{self._folder}: {end.message}")
                    reason = self._refusal(end)
                    if reason is not None:
                        # What is left of it would lie among the clips.
                        remove(temporary[one.clip_id])
                        self._left_out.add(one.clip_id, one.domain, reason)
                    elif end.payload is not None:
                        path = self._path(one, end.payload["frame_count"])
                        found[one.clip_id] = file = File(path=path, key=self._key(one), **end.payload)
                        note([file])
                        move_into_place(temporary[one.clip_id], self._folder / path)
                        self._made_count += 1
        return found

    def _refusal(self, end: Done) -> str | None:
        """Why the end of a clip is no file."""
        if end.payload is None:
            return end.message
        frame_count = end.payload["frame_count"]
        if frame_count < 2:
            return TOO_SHORT
        is_full = self._wish.trainer.takes_shorter or frame_count == self._wish.frames
        return None if is_full else too_short_for(self._wish)

    def _arguments(self, one: Chosen, target: Path) -> dict[str, Any]:
        make_folder(target.parent)
        return {
            "source": str(self._home.root / one.source),
            "family": self._wish.family.name,
            "size": (one.fit.size.width_px, one.fit.size.height_px),
            "frames": one.fit.frame_count,
            "more": self._wish.trainer.more_frames,
            "is_again": one.is_again,
            "target": str(target),
        }

    def _key(self, one: Chosen) -> str:
        """Of all that the bytes of the file depend on."""
        said = {
            "version": VERSION,
            "clip_id": one.clip_id,
            "source": one.sha256,
            "rate": self._wish.family.rate,
            "grid": self._wish.family.pipeline_class,
            "size": str(one.fit.size),
            "frames": one.fit.frame_count,
            "more": self._wish.trainer.more_frames,
            "is_again": one.is_again,
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def _path(self, one: Chosen, frame_count: int) -> str:
        return f"{self._wish.trainer.place(self._example(one, frame_count))}/{one.clip_id}.mp4"

    def _temporary(self, one: Chosen) -> Path:
        target = self._folder / self._path(one, one.fit.frame_count)
        return target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")

    def _example(self, one: Chosen, frame_count: int) -> Example:
        return Example(one.clip_id, one.domain, one.caption, one.fit.size, frame_count, one.repeats)

    def report(self, chosen: Sequence[Chosen], files: Mapping[str, File]) -> Report:
        examples = tuple(self._example(one, files[one.clip_id].frame_count) for one in chosen if one.clip_id in files)
        if not examples:
            told = "; ".join(f"{count} {domain}: {reason}" for domain, reason, count in self._left_out.counts())
            raise NothingToExportError(f"no clip could be exported: {told}")
        exported = Exported(self._wish.family, self._folder, self._wish.frames, self._wish.sizes, examples)
        return Report(
            exported,
            self._left_out,
            made_count=self._made_count,
            there_count=len(files) - self._made_count,
            size_bytes=sum(file.size_bytes for file in files.values()),
        )

    def texts(self, report: Report, note: Callable[[Iterable[File]], None]) -> list[File]:
        """Lists and settings; those that are there as they should be are not written again."""
        trainer = self._wish.trainer
        wanted = dict(trainer.lists(report.exported))
        kept: list[File] = []
        for path, text in trainer.settings(report.exported).items():
            if self._is_of_others(path, text):
                report.kept.append(path)
                made = self._known.files.get(path)
                kept += [made] if made else []
                if made is None or made.sha256 != _sha256(text):
                    wanted[path + NEW] = text
            else:
                wanted[path] = text
        files = [File(path, _sha256(text)) for path, text in sorted(wanted.items())]
        missing = [file for file in files if not is_whole(self._folder, file)]
        for start in range(0, len(missing), TEXTS_AT_ONCE):
            some = missing[start : start + TEXTS_AT_ONCE]
            note(some)
            put_all((self._folder / file.path, wanted[file.path].encode()) for file in some)
        return files + kept

    def _is_of_others(self, path: str, text: str) -> bool:
        """Whether something lies there that no export has made, nor would make now."""
        if not (self._folder / path).is_file() or self._known.has_made(self._folder, path):
            return False
        return not is_whole(self._folder, File(path, _sha256(text)))

    def remove_others(self, report: Report, wanted: set[File]) -> None:
        """What was made and is wanted no more goes, with folders that it leaves empty."""
        paths = {file.path for file in wanted}
        for file in self._known.files.values():
            place = self._folder / file.path
            if file.path in paths or not place.exists():
                continue
            if self._known.has_made(self._folder, file.path):
                place.unlink()
                report.removed_count += bool(file.key)
            else:
                report.strangers.append(file.path)
        for folder in {(self._folder / file.path).parent for file in self._known.files.values()}:
            _remove_empty(folder, self._folder)


def _content(
    wish: Wish, chosen: Sequence[Chosen], files: Mapping[str, File], texts: Sequence[File], report: Report
) -> dict[str, Any]:
    """What the list says: nothing that differs between two exports of the same clips."""
    return {
        "trainer": wish.trainer.name,
        "family": wish.family.name,
        "fps": wish.family.rate,
        "frames": wish.frames,
        "more_frames": wish.trainer.more_frames,
        "sizes": [str(size) for size in wish.sizes],
        "clips": [
            {
                "path": file.path,
                "sha256": file.sha256,
                "size_bytes": file.size_bytes,
                "key": file.key,
                "clip_id": one.clip_id,
                "domain": one.domain,
                "source_sha256": one.sha256,
                "frame_count": file.frame_count,
                "width_px": one.fit.size.width_px,
                "height_px": one.fit.size.height_px,
                "repeats": one.repeats,
                "caption": one.caption,
            }
            for one in chosen
            if (file := files.get(one.clip_id))
        ],
        "files": [{"path": file.path, "sha256": file.sha256} for file in sorted(texts, key=lambda file: file.path)],
        "left_out": [
            {"clip_id": clip_id, "domain": domain, "reason": reason}
            for clip_id, (domain, reason) in sorted(report.left_out.reasons.items())
        ],
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
