"""A release is made: which version it is, its files, its proof, and only then its name.

Belongs here: the order in which that happens, so that a release is whole or not there. Does not belong here: what is in
it (`content`, `texts`), and who asks for it (`building.releasing`).

    releases/.making-<digest>/   what is being made; its name says of what, so a killed one goes on
    releases/<version>/          renamed last
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.placing import leftovers_below, put_bytes, remove, rename_folder
from emovid_assets.core.release.changes import difference
from emovid_assets.core.release.digest import data_digest
from emovid_assets.core.release.layout import (
    CLIPS_CSV,
    FORMAT,
    METADATA,
    RELEASE,
    SHA256SUMS,
    TABLES,
    Tier,
    folder_name,
)
from emovid_assets.core.release.names import is_release_name, version_of
from emovid_assets.core.release.versions import Bump, Kind, next_version
from emovid_assets.home.folders import Home
from emovid_assets.resources.release.content import Content
from emovid_assets.resources.release.facts import counts_of
from emovid_assets.resources.release.files import DamagedFileError, Effort, ReleaseFiles
from emovid_assets.resources.release.reading import (
    NotAReleaseError,
    Release,
    found_in,
    metadata_files,
    read_release,
    rows,
)
from emovid_assets.resources.release.sums import read_sums, sums_text
from emovid_assets.resources.release.tabular import write_csv, write_parquet
from emovid_assets.resources.release.webdataset import write_shards
from emovid_assets.tables.columns import each_row
from emovid_assets.tables.release import OF_GATE

MAKING = ".making-"
"""Begins the name of a folder in which a release is made."""
Tell = Callable[[str, int, int], None]


class NothingToReleaseError(Exception):
    """There is nothing that a release could hold; the message says what to do."""


@dataclass(frozen=True)
class Said:
    """What the texts of a release say of it. `created_on`: an ISO date."""

    version: str
    created_on: str
    previous: str | None
    bump: Kind
    reasons: tuple[str, ...]
    digest: str


@dataclass(frozen=True)
class Wish:
    """`name`: what the dataset is called. `texts`: the other files by path, of what the release says and of the sums of
    the files that are there; `software`, `media`: objects of `release.json`."""

    name: str
    has_shards: bool
    texts: Callable[[Said, Mapping[str, str]], Mapping[str, bytes]]
    software: Mapping[str, Any]
    media: Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """`release`: the new one, or the one that holds the same already (`is_new` is false)."""

    release: Release
    effort: Effort
    is_new: bool


def make(
    home: Home,
    content: Content,
    wish: Wish,
    prove: Callable[[Path], None],
    tell: Tell = lambda step, done, of: None,
) -> Made:
    """Makes the release that the content is, unless there is one. Whoever calls holds the lock of the releases.

    `prove`: raises where the folder is not to become a release. Raises NothingToReleaseError, DamagedFileError,
    NotAReleaseError, and OSError as it comes.
    """
    if not content.rows.num_rows:
        raise NothingToReleaseError(_why_nothing(content))
    digest = data_digest(each_row(content.rows), OF_GATE)
    latest, same_tier = _latest(home, content.tier)
    folder = home.releases / f"{MAKING}{_digest_of_all(content, wish, digest)[:16]}"
    _remove_others(home, folder)
    files = ReleaseFiles(folder, same_tier.folder if same_tier else None, read_sums(same_tier) if same_tier else None)
    _write_data(files, content, wish, same_tier, tell)
    now = datetime.now(UTC).replace(microsecond=0)
    bump = _bump(content, latest)
    if bump.kind == "none" and latest is not None:
        if same_tier is None or same_tier.version != latest.version:
            # The other tier of the same data.
            bump = Bump(latest.version, latest.bump, latest.reasons)
        elif _is_same(files, wish, same_tier):
            shutil.rmtree(folder)
            return Made(same_tier, files.effort, is_new=False)
        else:
            bump = _bump(content, latest, written_otherwise=["the same data are written otherwise"])
    said = Said(bump.version, now.date().isoformat(), _previous(latest, bump), bump.kind, bump.reasons, digest)
    for path, data in wish.texts(said, files.sums).items():
        files.put(path, data)
    record = _record(content, wish, said, files, now)
    files.put(RELEASE, record)
    put_bytes(folder / SHA256SUMS, sums_text(files.sums).encode())
    _remove_strangers(files)
    prove(folder)
    files.finish()
    target = home.releases / folder_name(bump.version, content.tier)
    rename_folder(folder, target)
    return Made(read_release(target), files.effort, is_new=True)


def _why_nothing(content: Content) -> str:
    if content.left_out:
        told = "; ".join(f"{count:,} of {domain}: {reason}" for (domain, reason), count in content.left_out.items())
        return f"no clip may be given away: {told}"
    return "there is no clip with a final label yet: emovid status says what is missing"


def _latest(home: Home, tier: Tier) -> tuple[Release | None, Release | None]:
    """The newest release, of this tier where there are both, and the newest of this tier.

    Raises NotAReleaseError where a folder is called as a release that is not older and holds none that can be read: its
    version was given already, to data that nobody can compare.
    """
    found = found_in(home.releases)
    there = found.releases
    newest_there = version_of(there[-1].version) if there else None
    for name, why in found.broken.items():
        if is_release_name(name) and (newest_there is None or version_of(name.partition("+")[0]) >= newest_there):
            raise NotAReleaseError(f"{why}; its version was given already: {_mend(home.releases / name)}")
    same_tier = [release for release in there if release.tier == tier]
    if not there:
        return None, None
    newest = [release for release in there if release.version == there[-1].version]
    latest = next((release for release in newest if release.tier == tier), newest[0])
    return latest, same_tier[-1] if same_tier else None


def _digest_of_all(content: Content, wish: Wish, digest: str) -> str:
    """Of what a folder that is being made will hold, but for texts, which cost nothing."""
    said = [FORMAT, content.tier, wish.name, wish.has_shards, digest]
    gate = hashlib.sha256()
    for row in each_row(content.rows, ["clip_id", *OF_GATE]):
        gate.update(json.dumps(row, sort_keys=True).encode())
    return hashlib.sha256(json.dumps([*said, gate.hexdigest()]).encode()).hexdigest()


def _remove_others(home: Home, folder: Path) -> None:
    """What killed releases of other data have left."""
    for other in home.releases.glob(f"{MAKING}*"):
        if other != folder:
            remove(other)
    if folder.is_dir():
        for leftover in list(leftovers_below(folder)):
            remove(leftover)


def _write_data(files: ReleaseFiles, content: Content, wish: Wish, before: Release | None, tell: Tell) -> None:
    media = [(one.path, one.source, one.sha256) for one in content.media]
    files.link(media, lambda done: tell("clip files", done, len(media)))
    files.link([(path, source, _first_frame_sha256(source)) for path, source in content.first_frames])
    splits = content.rows["split"].to_pylist()
    for split in sorted(set(splits)):
        of_split = content.rows.filter(pa.array([one == split for one in splits]))
        files.put_made(f"{split}/{METADATA}", partial(write_parquet, of_split))
    files.put_made(CLIPS_CSV, partial(write_csv, content.rows))
    for name, beside in content.tables.items():
        if beside.num_rows:
            files.put_made(f"{TABLES}/{name}.parquet", partial(write_parquet, beside))
    if wish.has_shards:
        write_shards(
            files,
            content.rows,
            before.folder if before else None,
            tell=lambda done, count: tell("shards", done, count),
        )


def _first_frame_sha256(source: Path) -> str:
    """No table has it. Raises DamagedFileError."""
    try:
        return file_sha256(source)
    except OSError as error:
        raise DamagedFileError(
            f"{source} cannot be read ({error.strerror}), so nothing was released: emovid verify --repair, then emovid "
            "build, makes it again"
        ) from error


def _bump(content: Content, latest: Release | None, written_otherwise: Sequence[str] = ()) -> Bump:
    """What has changed since the newest release; what is given away can be compared within a tier only."""
    if latest is None:
        return next_version(None, None)
    _refuse_damaged_rows(latest)
    found = difference(rows(latest), content.rows, is_same_tier=latest.tier == content.tier)
    others: list[str] = []
    more: list[str] = []
    for name, beside in content.tables.items():
        before = _read_table(latest, name)
        if before is None:
            more += [f"table {name} is new"] if beside.num_rows else []
        elif not before.equals(beside):
            _told_of_table(name, before, beside, others, more)
    return next_version(latest.version, found, written_otherwise, others=others, more=more)


def _refuse_damaged_rows(latest: Release) -> None:
    """A version that follows from rows that somebody has changed would say what is not so."""
    sums = read_sums(latest)
    counted = {name for name in sums if name.endswith(f"/{METADATA}") or name.startswith(f"{TABLES}/")}
    counted |= {path.relative_to(latest.folder).as_posix() for path in metadata_files(latest)}
    for name in sorted(counted):
        path = latest.folder / name
        if not path.is_file():
            raise NotAReleaseError(f"{path} is gone: {_mend(latest.folder)}")
        if sums.get(name) != file_sha256(path):
            raise NotAReleaseError(f"{path} has other bytes than were released: {_mend(latest.folder)}")


def _mend(folder: Path) -> str:
    return (
        f"emovid release verify '{folder}' says what is damaged; put back what was released, or, where that is lost, "
        f"move the folder out of {folder.parent}, and versions are counted without it"
    )


def _told_of_table(name: str, before: pa.Table, after: pa.Table, others: list[str], more: list[str]) -> None:
    """Rows that were there are there as they were, and others beside them; or some are other ones or gone."""
    had, has = (Counter(map(_line, each_row(rows))) for rows in (before, after))
    gone, new = sum((had - has).values()), sum((has - had).values())
    if gone:
        others.append(f"table {name}: {gone:,} rows gone or other, {new:,} new")
    elif new:
        more.append(f"table {name}: {new:,} rows added")


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, sort_keys=True, default=str)


def _read_table(release: Release, name: str) -> pa.Table | None:
    try:
        with (release.folder / TABLES / f"{name}.parquet").open("rb") as file:
            return pq.ParquetFile(file).read().replace_schema_metadata()
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowException) as error:
        raise NotAReleaseError(
            f"{release.folder / TABLES / name}.parquet cannot be read ({error}): {_mend(release.folder)}"
        ) from error


def _is_same(files: ReleaseFiles, wish: Wish, before: Release) -> bool:
    """Whether all files but `release.json` would be those of the release before, were it of its version and day."""
    said = Said(
        before.version,
        before.created_at.date().isoformat(),
        before.previous,
        before.bump,
        before.reasons,
        before.digest,
    )
    sums = {**files.sums, **{path: _sha256(data) for path, data in wish.texts(said, files.sums).items()}}
    known = {path: digest for path, digest in read_sums(before).items() if path != RELEASE}
    return sums == known and before.name == wish.name


def _previous(latest: Release | None, bump: Bump) -> str | None:
    """The version before; the other tier of a version has that of the first of them."""
    if latest is None:
        return None
    return latest.previous if bump.version == latest.version else latest.version


def _record(content: Content, wish: Wish, said: Said, files: ReleaseFiles, now: datetime) -> bytes:
    """`release.json`. Its sizes are of all other files but `SHA256SUMS`."""
    record = {
        "name": wish.name,
        "version": said.version,
        "tier": content.tier,
        "format": FORMAT,
        "created_at": now.isoformat(),
        "digest": said.digest,
        "previous": said.previous,
        "bump": said.bump,
        "reasons": list(said.reasons),
        **counts_of(content.rows),
        "left_out_count": sum(content.left_out.values()),
        "size_bytes": files.size_bytes,
        "file_count": len(files.sums),
        "software": dict(wish.software),
        "media": dict(wish.media),
    }
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()


def _remove_strangers(files: ReleaseFiles) -> None:
    """What a killed run has left that this one does not want, such as a text of another program version."""
    wanted = {*files.sums, SHA256SUMS}
    for directory, folders, names in os.walk(files.folder, topdown=False):
        for name in names:
            path = Path(directory, name)
            if path.relative_to(files.folder).as_posix() not in wanted:
                path.unlink()
        for name in folders:
            folder = Path(directory, name)
            if not any(folder.iterdir()):
                folder.rmdir()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
