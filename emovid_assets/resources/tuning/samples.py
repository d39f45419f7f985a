"""Clips as a generator sees them in training: encoded once and kept for every step, in a bounded folder.

Belongs here: which are kept, and reading them again. Does not belong here: encoding (`core.tuning.wan`), which clips
(`trainings`).

A training goes through all clips once an epoch, so to throw out what was read longest ago would throw out what comes
next. What is there stays, then, and where the folder is full, others are encoded anew each time; samples that nobody
asks for any more go first.
"""

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from emovid_assets.core.placing import put_bytes
from emovid_assets.core.tuning.flow import Sample
from emovid_assets.core.tuning.recipe import Clip
from emovid_assets.core.video.errors import MediaError, sentence

SUFFIX = ".safetensors"
Encode = Callable[[Clip], dict[str, Any]]


class SampleFolder:
    """A file a sample, by its key. `wanted`: keys that are not thrown out for others."""

    def __init__(self, folder: Path, limit_bytes: float, wanted: Collection[str]) -> None:
        self._folder, self._limit, self._wanted = folder, limit_bytes, wanted
        self._size = sum(size for size, _, _ in self._files())

    def has(self, key: str) -> bool:
        return self._path(key).is_file()

    def read(self, key: str) -> Sample | None:
        """Null where there is none, or none that is whole."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self._path(key))
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError):
            self._path(key).unlink(missing_ok=True)
            return None

    def keep(self, key: str, sample: Sample) -> bool:
        """Whether there was room for it."""
        from safetensors.torch import save

        data = save(dict(sample))
        if self._size + len(data) > self._limit:
            self._make_room(len(data))
        if self._size + len(data) > self._limit:
            return False
        put_bytes(self._path(key), data)
        self._size += len(data)
        return True

    def _make_room(self, needed: int) -> None:
        for size, _, path in sorted(self._files(), key=lambda one: one[1]):
            if self._size + needed <= self._limit:
                return
            if path.name.removesuffix(SUFFIX) not in self._wanted:
                path.unlink(missing_ok=True)
                self._size -= size

    def _files(self) -> Iterable[tuple[int, float, Path]]:
        """(bytes, when it was written, path)."""
        if self._folder.is_dir():
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.endswith(SUFFIX):
                        status = entry.stat()
                        yield status.st_size, status.st_mtime, Path(entry.path)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"


class Samples:
    """Samples by clip: of the folder, else encoded."""

    def __init__(self, folder: SampleFolder, encode: Encode) -> None:
        self._folder, self._encode = folder, encode

    def prepare(self, clips: Collection[Clip], told: Callable[[int, int], None]) -> tuple[dict[str, str], bool]:
        """Encodes what is not there. (why clips cannot be read, by id; whether all others are in the folder now)"""
        faults: dict[str, str] = {}
        are_kept = True
        for number, clip in enumerate(clips, start=1):
            if not self._folder.has(clip.key):
                try:
                    are_kept = self._folder.keep(clip.key, self._encode(clip)) and are_kept
                except MediaError as error:
                    faults[clip.clip_id] = sentence(error.code, error.detail)
            told(number, len(clips))
        return faults, are_kept

    def read(self, clip: Clip) -> Sample:
        """Raises MediaError where its file cannot be read any more."""
        found = self._folder.read(clip.key)
        return self._encode(clip) if found is None else found
