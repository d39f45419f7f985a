"""A release is read by other programs' libraries, in whichever Python has them.

Belongs here: whether they are installed, and running the lines that read it. Does not belong here: those lines
(`core.release.snippets`), and reading a release for our own purposes (`reading`).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.core.release.layout import SHARDS
from emovid_assets.core.release.snippets import RESULT_MARK, Reader, code, script

_FIND = "import importlib.util, sys; print(*(name for name in sys.argv[1:] if importlib.util.find_spec(name) is None))"
_LAST_LINES = 5


class LoadingError(Exception):
    """A reader could not read the release; the message says why, and what to do."""


@dataclass(frozen=True)
class Part:
    """A split and what it has."""

    split: str
    row_count: int
    media_count: int


@dataclass(frozen=True)
class Loaded:
    """What a reader has found: by split, and a row as texts that are cut short."""

    parts: tuple[Part, ...]
    first: Mapping[str, str]


def parts_of(folder: Path) -> tuple[Part, ...]:
    """The splits of a release, read by ourselves. Raises LoadingError where there are none."""
    import pyarrow.parquet as pq

    parts = []
    for path in sorted(folder.glob("[!.]*/metadata.parquet")):
        try:
            names = pq.ParquetFile(path).read(columns=["file_name"])["file_name"]
        except (OSError, ValueError) as error:
            raise LoadingError(f"{path} cannot be read ({error}): fetch or copy the release again") from error
        parts.append(Part(path.parent.name, len(names), len(names) - names.null_count))
    if not parts:
        raise LoadingError(f"{folder} is no release: no folder in it has a metadata.parquet")
    return tuple(parts)


def why_not(reader: Reader, folder: Path, parts: Iterable[Part]) -> str | None:
    """Why there is nothing for a reader in a release; null where there is."""
    if reader.needs_media and not any(part.media_count for part in parts):
        return "this release holds no media"
    if reader.needs_shards and not (folder / SHARDS).is_file():
        return "this release was made without --webdataset"
    return None


def missing(reader: Reader, python: Path | None = None) -> list[str]:
    """Of the packages of a reader, those that a Python does not have: this one, or another. Raises LoadingError where
    that cannot be run."""
    done = _run([str(python or sys.executable), "-c", _FIND, *reader.packages])
    if done.returncode:
        raise LoadingError(f"{python} is no Python that can be used: {_last(done.stderr)}")
    return done.stdout.split()


def lines(reader: Reader, folder: Path, parts: Iterable[Part]) -> str:
    """What a person copies to read this release."""
    split, has_media = _chosen(parts)
    return code(reader, str(folder), split, has_media=has_media)


def load(reader: Reader, folder: Path, parts: tuple[Part, ...], python: Path | None = None) -> Loaded:
    """Reads the whole release as the lines say. Nothing is fetched or stays in caches. Raises LoadingError."""
    split, has_media = _chosen(parts)
    with tempfile.TemporaryDirectory(prefix="emovid-load-") as scratch:
        program = Path(scratch, "read_release.py")
        program.write_text(script(reader, str(folder), split, has_media=has_media), encoding="utf-8")
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": scratch, "FIFTYONE_DO_NOT_TRACK": "1"}
        done = _run([str(python or sys.executable), str(program)], os.environ | offline)
    found = [line for line in done.stdout.splitlines() if line.startswith(RESULT_MARK)]
    if done.returncode or not found:
        raise LoadingError(f"{reader.name} cannot read {folder}: {_last(done.stderr)}")
    said: dict[str, Any] = json.loads(found[-1].removeprefix(RESULT_MARK))
    return Loaded(tuple(Part(split, *counts) for split, counts in sorted(said["seen"].items())), said["first"])


def differences(loaded: Loaded, reader: Reader, parts: Iterable[Part]) -> list[str]:
    """What a reader has found otherwise than it is; a reader of media sees no rows without."""
    found = {part.split: part for part in loaded.parts}
    faults = []
    for part in parts:
        wanted = part.row_count if reader.sees_all_rows else part.media_count
        seen = found.get(part.split, Part(part.split, 0, 0))
        if (seen.row_count, seen.media_count) != (wanted, part.media_count):
            faults.append(
                f"{part.split}: {seen.row_count:,} rows and {seen.media_count:,} media where there are {wanted:,} and "
                f"{part.media_count:,}"
            )
    return faults


def _chosen(parts: Iterable[Part]) -> tuple[str, bool]:
    parts = tuple(parts)
    with_media = [part.split for part in parts if part.media_count]
    names = with_media or [part.split for part in parts]
    return ("train" if "train" in names else names[0]), bool(with_media)


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise LoadingError(f"{command[0]} cannot be run: {error.strerror}") from error


def _last(said: str) -> str:
    told = [line for line in said.splitlines() if line.strip()]
    return "\n".join(told[-_LAST_LINES:]) or "it has ended without a word"
