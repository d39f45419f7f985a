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
from emovid_assets.core.release.parts import Split, splits_of
from emovid_assets.core.release.snippets import RESULT_MARK, Reader, code, script

_FIND = "import importlib.util, sys; print(*(name for name in sys.argv[1:] if importlib.util.find_spec(name) is None))"
_LAST_LINES = 5


class LoadingError(Exception):
    """A reader could not read the release; the message says why, and what to do."""


@dataclass(frozen=True)
class Loaded:
    """What a reader has found: by split, and a row as texts that are cut short."""

    splits: tuple[Split, ...]
    first: Mapping[str, str]


def splits_in(folder: Path) -> tuple[Split, ...]:
    """The splits of a release, read by ourselves. Raises LoadingError where there are none."""
    import pyarrow.parquet as pq

    rows: list[tuple[str, str | None]] = []
    for path in sorted(folder.glob("[!.]*/metadata.parquet")):
        try:
            names = pq.ParquetFile(path).read(columns=["file_name"])["file_name"].to_pylist()
        except (OSError, ValueError, KeyError) as error:
            raise LoadingError(f"{path} cannot be read ({error}): fetch or copy the release again") from error
        rows += [(path.parent.name, name) for name in names]
    if not rows:
        raise LoadingError(f"{folder} is no release: no folder in it has a metadata.parquet with rows")
    return splits_of(rows)


def why_not(reader: Reader, folder: Path, splits: Iterable[Split]) -> str | None:
    """Why there is nothing for a reader in a release; null where there is."""
    if reader.needs_media and not any(split.media_count for split in splits):
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


def lines(reader: Reader, folder: Path, splits: Iterable[Split]) -> str:
    """What a person copies to read this release."""
    split, has_media = _chosen(splits)
    return code(reader, str(folder), split, has_media=has_media)


def load(reader: Reader, folder: Path, splits: tuple[Split, ...], python: Path | None = None) -> Loaded:
    """Reads the whole release as the lines say. Nothing is fetched or stays in caches. Raises LoadingError."""
    split, has_media = _chosen(splits)
    with tempfile.TemporaryDirectory(prefix="emovid-load-") as scratch:
        program = Path(scratch, "read_release.py")
        program.write_text(script(reader, str(folder), split, has_media=has_media), encoding="utf-8")
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": scratch, "FIFTYONE_DO_NOT_TRACK": "1"}
        done = _run([str(python or sys.executable), str(program)], os.environ | offline)
    found = [line for line in done.stdout.splitlines() if line.startswith(RESULT_MARK)]
    # How it ends says nothing: behind the last line, where a stream was left in the middle, Arrow may abort at exit.
    if not found:
        raise LoadingError(f"{reader.name} cannot read {folder}: {_last(done.stderr)}")
    said: dict[str, Any] = json.loads(found[-1].removeprefix(RESULT_MARK))
    seen = {name: Split(name, *counts) for name, counts in said["seen"].items()}
    known = [split.name for split in splits]
    return Loaded(tuple(seen[name] for name in sorted(seen, key=[*known, *sorted(seen)].index)), said["first"])


def differences(loaded: Loaded, reader: Reader, splits: Iterable[Split]) -> list[str]:
    """What a reader has found otherwise than it is; a reader of media sees no rows without."""
    found = {split.name: split for split in loaded.splits}
    faults = []
    for split in splits:
        wanted = split.clip_count if reader.sees_all_rows else split.media_count
        seen = found.get(split.name, Split(split.name, 0))
        if (seen.clip_count, seen.media_count) != (wanted, split.media_count):
            faults.append(
                f"{split.name}: {seen.clip_count:,} rows and {seen.media_count:,} media where there are {wanted:,} and "
                f"{split.media_count:,}"
            )
    return faults


def _chosen(splits: Iterable[Split]) -> tuple[str, bool]:
    splits = tuple(splits)
    with_media = [split.name for split in splits if split.media_count]
    names = with_media or [split.name for split in splits]
    return ("train" if "train" in names else names[0]), bool(with_media)


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise LoadingError(f"{command[0]} cannot be run: {error.strerror}") from error


def _last(said: str) -> str:
    told = [line for line in said.splitlines() if line.strip()]
    return "\n".join(told[-_LAST_LINES:]) or "it has ended without a word"
