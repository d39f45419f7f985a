"""Proves that a release is what it says it is: its files, rows, texts and permissions.

Belongs here: what can be proved from the folder alone, one proof after another. Does not belong here: whether the home
still agrees (`emovid release diff`), and mending: whoever has a damaged release fetches or makes it again.

Sums tell who has changed a file, unless he has made new sums. So what a release says twice is compared as well: rows as
Parquet, as CSV, in shards, and as the digest in `release.json`.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from emovid_assets.checks.proofs import Proof
from emovid_assets.core.identity import file_sha256
from emovid_assets.core.release.decisions import DecisionsError, read_decisions
from emovid_assets.core.release.digest import data_digest
from emovid_assets.core.release.gate import permission_of
from emovid_assets.core.release.layout import CLIPS_CSV, DECISIONS_CSV, SHA256SUMS, SHARDS, WEBDATASET
from emovid_assets.core.release.samples import members
from emovid_assets.resources.catalogue_statements import duckdb_type, literal
from emovid_assets.resources.release.facts import counts_of
from emovid_assets.resources.release.reading import NotAReleaseError, Release, read_release, rows
from emovid_assets.resources.release.scanning import scan_release
from emovid_assets.resources.release.sums import read_sums
from emovid_assets.resources.release.webdataset import shards_of
from emovid_assets.tables.columns import each_row
from emovid_assets.tables.release import OF_GATE, RELEASE_CLIPS
from emovid_assets.tables.rules import key_fault, value_fault

SPLIT_APART = ("group_id", "twins_id", "source_id")
"""Clips that share one of these are not on both sides."""
_TEXTS_AND_TABLES = frozenset({".md", ".csv", ".json", ".py", ".xml", ".parquet"})


@dataclass(frozen=True)
class _Read:
    """What every proof but that of the files asks."""

    release: Release
    rows: pa.Table
    sums: Mapping[str, str]


def release_proofs(folder: Path, *, with_files: bool = True, with_scan: bool = True) -> Iterator[Proof]:
    """Each proof as soon as it is made. Without the files, their bytes are taken for what the sums say; without the
    scan, whoever asks has looked for what is personal himself, knowing the home.

    Raises NotAReleaseError where there is nothing to prove anything of.
    """
    release = read_release(folder)
    if with_files:
        yield _files(release)
    try:
        read = _Read(release, rows(release), read_sums(release))
    except NotAReleaseError as error:
        yield Proof("rows", "clips", faults=[str(error)])
        return
    lacking = _rows(read)
    yield lacking
    if not lacking.holds:
        # The others would ask for columns that are not there.
        return
    yield _digest(read)
    yield _table_for_people(read)
    yield _media(read)
    if (folder / WEBDATASET).is_dir():
        yield _shards(read)
    yield _permissions(read)
    yield _splits(read)
    if with_scan:
        yield _nothing_personal(read)


def release_faults(folder: Path) -> list[str]:
    """What does not hold of a release but for the bytes of its files, a sentence each. Raises NotAReleaseError."""
    return [f"{proof.name}: {fault}" for proof in release_proofs(folder, with_files=False) for fault in proof.faults]


def _files(release: Release) -> Proof:
    """Every file that the sums name is there with its bytes, and no other is."""
    proof = Proof("files", "files")
    try:
        sums = read_sums(release)
    except NotAReleaseError as error:
        proof.faults.append(str(error))
        return proof
    proof.checked = len(sums)
    paths = sorted(sums)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, found in zip(paths, pool.map(lambda path: _hash(release.folder / path), paths), strict=True):
            if found != sums[path]:
                said = "is missing or unreadable" if found is None else "has other bytes than were released"
                proof.faults.append(f"{path} {said}")
    for directory, folders, names in os.walk(release.folder):
        # A folder that is a link leads out of the release, and is not walked into.
        links = [name for name in folders if Path(directory, name).is_symlink()]
        for name in sorted((*names, *links)):
            path = Path(directory, name).relative_to(release.folder).as_posix()
            if path not in sums and path != SHA256SUMS:
                proof.faults.append(f"{path} is no file of this release: move it away")
    return proof


def _rows(read: _Read) -> Proof:
    """The rows are rows of a release: columns, types, limits, ids, as many as it says."""
    proof = Proof("rows", "clips", checked=read.rows.num_rows)
    found = {field.name: field.type for field in read.rows.schema}
    for field in RELEASE_CLIPS.schema:
        if field.name not in found:
            proof.faults.append(f"there is no column {field.name}: another version of this program made it")
        elif found[field.name] != field.type:
            proof.faults.append(f"column {field.name} is {found[field.name]}, not {field.type}")
    if proof.faults:
        return proof
    taken = RELEASE_CLIPS.taken_from(read.rows)
    found_faults = (key_fault(RELEASE_CLIPS, taken), value_fault(RELEASE_CLIPS, taken, None))
    proof.faults += [fault for fault in found_faults if fault]
    return proof


def _digest(read: _Read) -> Proof:
    """The data have the digest that the release is known by, and the counts that it tells."""
    found, counts = data_digest(each_row(read.rows), OF_GATE), counts_of(read.rows)
    proof = Proof("digest", "clips", checked=read.rows.num_rows)
    if found != read.release.digest:
        proof.faults.append(
            f"the rows have the digest {found[:16]}…, and release.json says {read.release.digest[:16]}…"
        )
    told = {name: getattr(read.release, name) for name in ("metadata_only_count", "domains", "splits")}
    proof.faults += [
        f"release.json says {name} {value}, and it is {counts[name]}"
        for name, value in told.items()
        if value != counts[name]
    ]
    return proof


def _table_for_people(read: _Read) -> Proof:
    """`clips.csv` says the same as the rows, cell by cell."""
    import duckdb

    proof = Proof(CLIPS_CSV, "clips", checked=read.rows.num_rows)
    path = read.release.folder / CLIPS_CSV
    plain = [field for field in read.rows.schema if not pa.types.is_nested(field.type)]
    nested = [field for field in read.rows.schema if pa.types.is_nested(field.type)]
    types = ", ".join(
        f"{literal(field.name)}: {literal('VARCHAR' if field in nested else duckdb_type(field.type))}"
        for field in read.rows.schema
    )
    same = " and ".join(
        [f'csv."{field.name}" is not distinct from told."{field.name}"' for field in plain]
        + [f'csv."{field.name}" is not distinct from to_json(told."{field.name}")::varchar' for field in nested]
    )
    # More threads hold more of the rows at a time.
    with duckdb.connect(config={"threads": 1, "preserve_insertion_order": False}) as connection:
        connection.register("told", read.rows)
        try:
            found = connection.execute(
                f"select coalesce(csv.clip_id, told.clip_id) from read_csv({literal(str(path))}, header = true, "
                f"columns = {{{types}}}, strict_mode = true, null_padding = false) as csv "
                f"full join told on csv.clip_id = told.clip_id where not ({same}) or csv.clip_id is null "
                "or told.clip_id is null order by 1"
            ).fetchall()
        except duckdb.Error as error:
            proof.faults.append(f"cannot be read: {' '.join(str(error).split())[:160]}")
            return proof
    proof.faults += [f"{clip_id}: {CLIPS_CSV} and the row of the clip differ" for (clip_id,) in found]
    return proof


def _media(read: _Read) -> Proof:
    """Every file that a row names is its clip's, and every clip file and first frame has a row."""
    proof = Proof("clip files", "files")
    named, frames = set(), set()
    for row in each_row(read.rows, ["clip_id", "split", "file_name", "first_frame_path", "media_sha256"]):
        if row["first_frame_path"] is not None:
            frames.add(row["first_frame_path"])
            if row["first_frame_path"] not in read.sums:
                proof.faults.append(f"{row['clip_id']}: there is no {row['first_frame_path']}")
        if row["file_name"] is None:
            continue
        proof.checked += 1
        path = f"{row['split']}/{row['file_name']}"
        named.add(path)
        if path not in read.sums:
            proof.faults.append(f"{row['clip_id']}: there is no {path}")
        elif read.sums[path] != row["media_sha256"]:
            proof.faults.append(f"{row['clip_id']}: {path} is not the file that its row says")
    splits = {row["split"] for row in each_row(read.rows, ["split"])}
    others = (path for path in read.sums if _may_be_medium(path, splits))
    proof.faults += [f"{path} is of no row" for path in sorted(others) if path not in named | frames]
    if len(named) != read.release.media_count:
        proof.faults.append(f"release.json says {read.release.media_count:,} clips with media, and {len(named):,} have")
    return proof


def _may_be_medium(path: str, splits: Collection[str]) -> bool:
    """Shards have a proof of their own."""
    if path.split("/")[0] in splits:
        return not path.endswith(".parquet")
    return not path.startswith(f"{WEBDATASET}/") and Path(path).suffix not in _TEXTS_AND_TABLES


def _shards(read: _Read) -> Proof:
    """Every clip with a medium is in one shard, with the same bytes and the same values."""
    proof = Proof("shards", "samples")
    wanted = {row["clip_id"]: row for row in each_row(read.rows) if row["file_name"] is not None}
    seen: set[str] = set()
    try:
        shards = shards_of(read.release.folder)
        named = {SHARDS, *(f"{WEBDATASET}/{shard.name}" for shard in shards)}
        strays = (path for path in sorted(read.sums) if path.startswith(f"{WEBDATASET}/") and path not in named)
        proof.faults += [f"{path} is no shard that {SHARDS} names" for path in strays]
        for shard in shards:
            with tarfile.open(read.release.folder / WEBDATASET / shard.name) as tar:
                proof.faults += _faults_of_shard(shard.name, tar, wanted, seen)
    except (OSError, ValueError, tarfile.TarError) as error:
        proof.faults.append(f"cannot be read: {error}")
    proof.checked = len(seen)
    proof.faults += [f"{clip_id}: in no shard" for clip_id in sorted(wanted.keys() - seen)]
    return proof


def _faults_of_shard(
    name: str, tar: tarfile.TarFile, wanted: Mapping[str, Mapping[str, Any]], seen: set[str]
) -> Iterator[str]:
    for member in tar:
        clip_id, dot, suffix = member.name.partition(".")
        row, file = wanted.get(clip_id), tar.extractfile(member)
        if row is None or file is None:
            yield f"{name}: {member.name} is of no clip with a medium"
            continue
        told = members(row)
        if dot + suffix in told:
            if file.read() != told[dot + suffix]:
                yield f"{name}: {member.name} says something else than the row of the clip"
        elif clip_id in seen:
            yield f"{name}: {clip_id} is there twice"
        else:
            seen.add(clip_id)
            if _stream_sha256(file) != row["media_sha256"]:
                yield f"{name}: {member.name} is not the file of the clip"


def _permissions(read: _Read) -> Proof:
    """No clip is given away that its licence, its origin and the published decisions do not permit."""
    proof = Proof("permissions", "clips", checked=read.rows.num_rows)
    try:
        decisions = read_decisions((read.release.folder / DECISIONS_CSV).read_bytes())
        for row in each_row(read.rows):
            decided = permission_of(row, decisions)
            if decided.tier != "full" and (row["file_name"] or row["first_frame_path"]) is not None:
                proof.faults.append(f"{row['clip_id']}: its file is here, but {decided.reason}")
            elif decided.tier == "nothing":
                proof.faults.append(f"{row['clip_id']}: it is here, but {decided.reason}")
            elif (row["permission"], row["permission_code"]) != (decided.tier, decided.code):
                proof.faults.append(
                    f"{row['clip_id']}: says {row['permission']} ({row['permission_code']}), by the rules of this "
                    f"program it is {decided.tier} ({decided.code})"
                )
    except (OSError, DecisionsError) as error:
        proof.faults.append(f"{DECISIONS_CSV} cannot be read: {error}")
    return proof


def _splits(read: _Read) -> Proof:
    """Nothing of the benchmark is trained on."""
    proof = Proof("splits", "clips", checked=read.rows.num_rows)
    sides: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in each_row(read.rows, ["split", *SPLIT_APART]):
        for column in SPLIT_APART:
            if row[column] is not None:
                sides[column, row[column]].add(row["split"])
    both = sorted(key for key, splits in sides.items() if {"train", "benchmark"} <= splits)
    proof.faults += [f"{column} {value} is in train and benchmark" for column, value in both]
    return proof


def _nothing_personal(read: _Read) -> Proof:
    """No address, path, key or place of a machine is in any text."""
    found = scan_release(read.release.folder, None)
    proof = Proof("nothing personal", "files", checked=len(read.sums))
    proof.faults += [one.told for one in found]
    return proof


def _hash(path: Path) -> str | None:
    try:
        return None if path.is_symlink() else file_sha256(path)
    except OSError:
        return None


def _stream_sha256(file: Any) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
