"""The shards of a release: tar files that WebDataset and others read in a row.

Belongs here: writing them, and not writing again what is there. Does not belong here: what is in a sample and which
shard it is in (`core.release.samples`).

`webdataset/shards.json` is written anew after each shard, so whoever is killed goes on behind the last whole one; a
release that has other labels takes over, as links, the shards none of whose samples has changed.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.placing import make_folder, put_into_place, put_text
from emovid_assets.core.release.layout import SHARDS, WEBDATASET
from emovid_assets.core.release.samples import SHARD_BYTES, bucket, digest_of, members, rank, shard_count
from emovid_assets.resources.release.files import ReleaseFiles, linked
from emovid_assets.tables.columns import each_row

if TYPE_CHECKING:
    import pyarrow as pa

_FILE_MODE = 0o644


@dataclass(frozen=True)
class Shard:
    """An entry of `shards.json`. `key` is equal where all samples are; `name` lies in `webdataset/`."""

    name: str
    split: str
    samples: int
    bytes: int
    sha256: str
    key: str


@dataclass(frozen=True)
class _Wanted:
    name: str
    split: str
    positions: tuple[int, ...]
    """Of its clips among the rows, in their order in the shard."""
    key: str


def write_shards(
    files: ReleaseFiles,
    rows: pa.Table,
    before: Path | None = None,
    *,
    shard_bytes: int = SHARD_BYTES,
    tell: Callable[[int, int], None] = lambda done, count: None,
) -> tuple[Shard, ...]:
    """Writes the shards of all splits, of the clips that have a `file_name`; their files lie in the release already.

    `before`: folder of an earlier release, whose shards are linked where they hold the same. `tell` is told how many
    shards of how many are there. A shard is never held in memory. Without any medium nothing is written.
    """
    earlier = _read(before)
    wanted = _wanted(rows, earlier, shard_bytes)
    if not wanted:
        return ()
    there = {shard.name: shard for shard in _read(files.folder)}
    old = {shard.name: shard for shard in earlier}
    done: list[Shard] = []
    for shard in wanted:
        found = there.get(shard.name)
        if found is not None and found.key == shard.key and _is_whole(files.folder, found):
            files.effort.kept_count += 1
        else:
            found = _linked_from(before, old.get(shard.name), shard, files) or _written(files, rows, shard)
            _note(files.folder, [*done, found])
        done.append(found)
        files.take(f"{WEBDATASET}/{found.name}", found.sha256)
        tell(len(done), len(wanted))
    _note(files.folder, done)
    for stray in {*(files.folder / WEBDATASET).glob("*.tar")} - {files.folder / WEBDATASET / it.name for it in done}:
        # Of a release that was killed while another one was the one before it.
        stray.unlink()
    files.take(SHARDS, file_sha256(files.folder / SHARDS))
    return tuple(done)


def shards_of(folder: Path) -> tuple[Shard, ...]:
    """What a release says of its shards; none without `shards.json`. Raises ValueError where that is damaged."""
    try:
        said = json.loads((folder / SHARDS).read_text(encoding="utf-8"))
        return tuple(Shard(**entry) for entry in said["shards"])
    except FileNotFoundError:
        return ()
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{folder / SHARDS} cannot be read ({error}): fetch or copy the release again") from error


def _read(folder: Path | None) -> tuple[Shard, ...]:
    try:
        return () if folder is None else shards_of(folder)
    except (ValueError, OSError):
        # Then all of them are written.
        return ()


def _wanted(rows: pa.Table, earlier: Sequence[Shard], shard_bytes: int) -> list[_Wanted]:
    by_split: dict[str, list[tuple[int, int, int, str]]] = {}
    for position, row in enumerate(each_row(rows)):
        if row["file_name"] is not None:
            content = members(row)
            digest = digest_of(row["clip_id"], Path(row["file_name"]).suffix, row["media_sha256"], content)
            size = row["media_size_bytes"] + sum(map(len, content.values()))
            by_split.setdefault(row["split"], []).append((rank(row["clip_id"]), position, size, digest))
    wanted = []
    for split, samples in sorted(by_split.items()):
        samples.sort()
        before = sum(shard.split == split for shard in earlier) or None
        count = shard_count(
            [sample[0] for sample in samples], sum(sample[2] for sample in samples), before, shard_bytes
        )
        for number in range(count):
            held = [sample for sample in samples if bucket(sample[0], count) == number]
            key = hashlib.sha256("".join(sample[3] for sample in held).encode()).hexdigest()
            wanted.append(_Wanted(f"{split}-{number:06d}.tar", split, tuple(sample[1] for sample in held), key))
    return wanted


def _is_whole(folder: Path, shard: Shard) -> bool:
    path = folder / WEBDATASET / shard.name
    return path.is_file() and path.stat().st_size == shard.bytes


def _linked_from(before: Path | None, old: Shard | None, wanted: _Wanted, files: ReleaseFiles) -> Shard | None:
    if before is None or old is None or old.key != wanted.key:
        return None
    source, target = before / WEBDATASET / old.name, files.folder / WEBDATASET / wanted.name
    # A release that somebody has damaged hands nothing on.
    if not _is_whole(before, old) or file_sha256(source) != old.sha256:
        return None
    make_folder(target.parent)
    target.unlink(missing_ok=True)
    if linked(source, target):
        files.effort.linked_count += 1
    else:
        with put_into_place(target) as temporary:
            shutil.copyfile(source, temporary)
        files.effort.written_count += 1
        files.effort.written_bytes += old.bytes
    return old


def _written(files: ReleaseFiles, rows: pa.Table, wanted: _Wanted) -> Shard:
    target = files.folder / WEBDATASET / wanted.name
    with put_into_place(target) as temporary:
        with temporary.open("wb") as file:
            hashing = _Hashing(file)
            # Names are short and moments whole, so there are no headers but ustar's own, of equal bytes anywhere.
            with tarfile.open(fileobj=cast(IO[bytes], hashing), mode="w|", format=tarfile.PAX_FORMAT) as tar:
                for row in each_row(rows.take(list(wanted.positions))):
                    _add(tar, files.folder, row)
        size = temporary.stat().st_size
    files.effort.written_count += 1
    files.effort.written_bytes += size
    return Shard(wanted.name, wanted.split, len(wanted.positions), size, hashing.hexdigest(), wanted.key)


def _add(tar: tarfile.TarFile, folder: Path, row: Mapping[str, Any]) -> None:
    medium = folder / row["split"] / row["file_name"]
    with medium.open("rb") as file:
        tar.addfile(_member(row["clip_id"] + medium.suffix, medium.stat().st_size), file)
    for suffix, data in members(row).items():
        tar.addfile(_member(row["clip_id"] + suffix, len(data)), io.BytesIO(data))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, _FILE_MODE, 0
    return member


def _note(folder: Path, shards: Sequence[Shard]) -> None:
    put_text(folder / SHARDS, json.dumps({"shards": [asdict(shard) for shard in shards]}, indent=1) + "\n")


class _Hashing:
    """A file that is hashed while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return self._file.write(data)

    def hexdigest(self) -> str:
        return self._digest.hexdigest()
