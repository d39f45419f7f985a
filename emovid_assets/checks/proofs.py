"""Proves that a home is what it says it is: files by hash, tables by the registry, ids, splits, quarantine.

Belongs here: what can be proved from the home folder alone, one proof after another, and forgetting what does not
hold. Nothing is computed here: `emovid build` makes again what was forgotten. Needs no Dagster.

A build trusts size and time of a file; this does not, and reads every byte. A clip file's index must also say what the
tables say, which takes a millisecond a clip beside its hash; no picture is decoded. A build may run meanwhile, but
then what it has not finished shows as a fault.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from emovid_assets.checks.clip_files import OF_CLIP, OF_FILE, clip_file_fault, first_frame_fault
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.identity import file_sha256, source_id, source_of
from emovid_assets.core.placing import disk_time_s, is_leftover, leftovers_below, remove
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources import media
from emovid_assets.resources.blind_videos import copies_of
from emovid_assets.resources.generation.hashes import STEP as HASHES
from emovid_assets.resources.generation.video_files import SUFFIX
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library_files import listing
from emovid_assets.resources.quarantine import STEP_ASSETS, quarantined
from emovid_assets.resources.release.snapshots import snapshots_of
from emovid_assets.resources.warehouse import VERSIONS, Warehouse, holds_its_name
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.registry import TABLES
from emovid_assets.tables.rules import key_fault, schema_fault, value_fault

SHOWN_FAULTS = 20
LEFTOVER_AFTER_S = 3600.0
"""Younger files without an owner may be those of a build that runs now."""

PICTURES = {".jpg": (b"\xff\xd8", b"\xff\xd9"), ".png": (b"\x89PNG", b"IEND\xaeB`\x82")}
"""How a whole picture begins and ends."""

REFERENCES = {"source_id": "source_videos", "clip_id": "clips"}
"""Column → the table that every value of it must be in."""
FREE_IDS = {"scanned_segments": ("clip_id",), "segments": ("clip_id",), "rejected_annotations": ("clip_id",)}
"""Columns that may hold other ids: dropped segments are no clips, rejected answers may name anything."""
FOLLOWERS = {
    "clips": ("clip_media", "colour_attributes", "clip_features", "clip_fingerprints"),
    "source_videos": ("scanned_segments", "segments"),
}
"""Table → tables that have a row for each of its ids, unless the quarantine says why not."""

Thing = TypeVar("Thing")
Found = TypeVar("Found")


class NothingBuiltError(FileNotFoundError):
    """There is no warehouse yet; the message says what to do."""


@dataclass
class Proof:
    """One claim about the home: how many things were looked at, and which do not hold, a sentence each."""

    name: str
    unit: str
    checked: int = 0
    faults: list[str] = field(default_factory=list)
    note: str = ""
    is_repairable: bool = False
    """Whether something has to be forgotten before a build makes it again; where not, a build alone does."""

    @property
    def holds(self) -> bool:
        return not self.faults


def proofs(home: Home, *, repair: bool = False) -> Iterator[Proof]:
    """Each proof as soon as it is made. With `repair`, what fails is forgotten, so that the next build makes it
    again, and media that nothing names any more are removed (below `media`, never below `library`).

    Raises NothingBuiltError.
    """
    if not home.state.exists() or not home.warehouse.is_dir():
        raise NothingBuiltError(f"nothing has been built in {home.root}: run emovid build, or set EMOVID_HOME")
    with closing(ItemStore(home.state) if repair else ItemStore.to_read(home.state)) as store:
        yield _state(store)
        yield _library(home, store, repair)
        tables, read = _tables(home, repair)
        yield tables
        yield _media(home, read, store, repair)
        yield _pictures(home, read, store, repair)
        yield _generated(home, read, store, repair)
        yield _ids(read)
        yield _complete(home, read, store)
        yield _splits(home, tables)
        yield _snapshots(home)
        yield _leftovers(home, read, store, repair and tables.holds)


def as_json(made: Iterable[Proof]) -> str:
    return json.dumps([{**asdict(proof), "holds": proof.holds} for proof in made], indent=1) + "\n"


def _state(store: ItemStore) -> Proof:
    fault = store.fault()
    advice = "; remove state.sqlite and build: everything is computed again"
    return Proof("state", "file", 1, [f"state.sqlite: {fault}{advice}"] if fault else [])


def _library(home: Home, store: ItemStore, repair: bool) -> Proof:
    """Every file of the library still has the bytes that were read, whatever its size and time say."""
    known = store.known_hashes()
    proof = Proof("library", "files", len(known), is_repairable=True)
    changed = []
    for path, found in _hashes(home, known):
        if found == known[path][2]:
            continue
        changed.append(path)
        size, mtime_ns, _ = known[path]
        if found is None:
            proof.faults.append(f"{path}: gone or unreadable since it was read")
        elif (status := (home.root / path).stat()).st_size == size and status.st_mtime_ns == mtime_ns:
            proof.faults.append(f"{path}: other bytes than were read, though size and time are the same")
        else:
            proof.faults.append(f"{path}: changed since it was read")
    present = {entry.name for domain in DOMAINS for entry in listing(home, domain).files}
    new_count = len(present - set(known))
    proof.note = f"{new_count:,} new ones are not built yet" if new_count else ""
    if repair:
        store.forget_hashes(changed)
    return proof


def _tables(home: Home, repair: bool) -> tuple[Proof, dict[str, pa.Table]]:
    """Every Parquet file is whole and as it was written, has the registry's columns, unique keys and valid values."""
    warehouse = Warehouse(home.warehouse)
    proof = Proof("tables", "files", is_repairable=True)
    read: dict[str, pa.Table] = {}
    for name, table in TABLES.items():
        parts = []
        for domain in DOMAINS if table.is_partitioned else (None,):
            path = warehouse.path(name, domain)
            if not path.exists():
                continue
            proof.checked += 1
            place = home.relative(path)
            try:
                rows = warehouse.read(name, domain)
            except (pa.ArrowException, ValueError, OSError) as error:
                proof.faults.append(f"{place}: cannot be read: {_line(error)}; build it again")
                if repair:
                    path.unlink()
                continue
            parts.append(rows)
            faults = [
                *(schema_fault(table, rows), key_fault(table, rows), value_fault(table, rows, domain)),
                _version_fault(warehouse.version(name, domain)),
            ]
            found = [f"{place}: {fault}; build it again" for fault in faults if fault]
            proof.faults += found
            if repair and found:
                # A build notices a table that is gone; of one that is there it reads no rows.
                path.unlink()
        read[name] = pa.concat_tables(parts) if parts else table.empty()
    return proof, read


def _version_fault(version: Path | None) -> str | None:
    return "other bytes than were written" if version and not holds_its_name(version) else None


def _media(home: Home, read: dict[str, pa.Table], store: ItemStore, repair: bool) -> Proof:
    """Every clip file has the bytes that the table says, and holds the clip that the tables describe."""
    clips = _clips(read)
    proof = Proof("clip files", "files", read["clip_media"].num_rows, is_repairable=True)
    damaged = []

    def fault(row: Mapping[str, Any]) -> str | None:
        path = home.root / row["media_path"]
        found = _hash(path)
        if found != row["sha256"]:
            return "missing or unreadable" if found is None else "other bytes than written"
        return clip_file_fault(path, clips.get(row["clip_id"]), row)

    rows = sorted(each_row(read["clip_media"], OF_FILE), key=lambda row: row["media_path"])
    for row, said in _in_threads(fault, rows):
        if said:
            damaged.append(row["media_path"])
            proof.faults.append(f"{row['media_path']}: {said}")
    if repair and damaged:
        store.forget_results_with(damaged)
    return proof


def _pictures(home: Home, read: dict[str, pa.Table], store: ItemStore, repair: bool) -> Proof:
    """Every picture that a table names is there and whole, and a first frame has the size of its clip."""
    clips = _clips(read)
    frames = {
        row["first_frame_path"]: row["clip_id"]
        for row in each_row(read["benchmark_split"], ("first_frame_path", "clip_id"))
        if row["first_frame_path"] is not None
    }
    paths = {*read["clips"]["thumbnail_path"].to_pylist(), *frames}
    proof = Proof("pictures", "files", len(paths), is_repairable=True)
    damaged = []
    for path in sorted(paths):
        said = None if _is_whole_picture(home.root / path) else "missing or not whole"
        if said is None and path in frames and frames[path] in clips:
            said = first_frame_fault(home.root / path, clips[frames[path]])
        if said:
            damaged.append(path)
            proof.faults.append(f"{path}: {said}")
    if repair and damaged:
        store.forget_results_with(damaged)
    return proof


def _generated(home: Home, read: dict[str, pa.Table], store: ItemStore, repair: bool) -> Proof:
    """Every video of a generator has the bytes that the table says."""
    rows = read["generated_videos"]
    wanted = dict(zip(rows["video_path"].to_pylist(), rows["sha256"].to_pylist(), strict=True))
    proof = Proof("generated videos", "files", len(wanted), is_repairable=True)
    damaged = {path: found for path, found in _hashes(home, wanted) if found != wanted[path]}
    for path, found in damaged.items():
        proof.faults.append(f"{path}: {'missing or unreadable' if found is None else 'other bytes than were read'}")
    if repair and damaged:
        store.forget_results_with(damaged)
        store.forget(HASHES, [str(home.root / path) for path in damaged])
    below = f"{home.relative(home.generated)}/"
    films = (name for name in store.named_files() if name.startswith(below) and name.endswith(SUFFIX))
    kept = [name for name in films if name not in wanted and (home.root / name).is_file()]
    if kept:
        # They have cost hours, so they are no leftovers.
        folders = ", ".join(sorted({name.rpartition("/")[0] for name in kept}))
        proof.note = f"{len(kept):,} more that no row names: in {folders}, until you delete them"
    return proof


def _clips(read: dict[str, pa.Table]) -> dict[str, Mapping[str, Any]]:
    """What `clips` says of each clip's files."""
    return {row["clip_id"]: row for row in each_row(read["clips"], OF_CLIP)}


def _ids(read: dict[str, pa.Table]) -> Proof:
    """Every id leads to a row, and is made from what it names."""
    proof = Proof("ids", "ids")
    known = {column: set(read[table][column].to_pylist()) for column, table in REFERENCES.items()}
    for name, rows in read.items():
        for column, target in REFERENCES.items():
            if name == target or column not in rows.column_names or column in FREE_IDS.get(name, ()):
                continue
            # A sticker of a character is of no clip.
            ids = set(rows[column].drop_null().to_pylist())
            proof.checked += len(ids)
            lost = sorted(ids - known[column])
            proof.faults += [f"{name}: {identifier} is not in {target}; build again" for identifier in lost]
    for row in rows_of(read["source_videos"], ["source_id", "domain", "sha256"]):
        proof.checked += 1
        if row["source_id"] != source_id(row["domain"], row["sha256"]):
            proof.faults.append(f"source_videos: {row['source_id']} is not the id of {row['sha256']}; build again")
    for row in rows_of(read["clips"], ["clip_id", "source_id"]):
        proof.checked += 1
        if source_of(row["clip_id"]) != row["source_id"]:
            proof.faults.append(f"clips: {row['clip_id']} is not of {row['source_id']}; build again")
    return proof


def _complete(home: Home, read: dict[str, pa.Table], store: ItemStore) -> Proof:
    """Nothing is lost: what is in one table is in the next, or the quarantine says why not."""
    proof = Proof("nothing lost", "items")
    failures = [failure for domain in DOMAINS for failure in quarantined(store, domain)]
    errors = read["processing_errors"]
    shown = set(zip(errors["asset"].to_pylist(), errors["item_id"].to_pylist(), strict=True))
    proof.checked += len(failures)
    proof.note = f"{len(shown):,} in quarantine" if shown else ""
    proof.faults += [
        f"{failure.path or failure.item_id}: failed ({failure.code}) but is not in processing_errors; build again"
        for failure in failures
        if (STEP_ASSETS[failure.step], failure.item_id) not in shown
    ]
    failed = {failure.item_id for failure in failures} | {item_id for _, item_id in shown}
    paths = {*read["source_videos"]["path"].to_pylist()}
    paths.update(path for some in read["source_videos"]["duplicate_paths"].to_pylist() for path in some)
    # A file in quarantine stands there by its id, or by its path where it has none yet.
    excused = failed | {failure.path for failure in failures}
    for path, (_, _, sha256) in store.known_hashes().items():
        proof.checked += 1
        identifier = source_id(path.split("/")[1], sha256)
        if path not in paths and path not in excused and identifier not in failed:
            proof.faults.append(f"{path}: neither in source_videos nor in quarantine; build again")
    for table, followers in FOLLOWERS.items():
        for follower in followers:
            column = "clip_id" if table == "clips" else "source_id"
            wanted = set(read[table][column].to_pylist())
            proof.checked += len(wanted)
            lost = sorted(wanted - set(read[follower][column].to_pylist()) - failed)
            proof.faults += [f"{follower}: no row for {identifier}; build again" for identifier in lost]
    return proof


def _splits(home: Home, tables: Proof) -> Proof:
    """Nothing stands in benchmark and training at once, by the view that everybody can ask."""
    import duckdb

    from emovid_assets.resources.catalogue_statements import table_view_sql
    from emovid_assets.resources.sql_files import read_view_files

    proof = Proof("splits", "clips")
    with duckdb.connect() as connection:
        try:
            for table in TABLES.values():
                connection.execute(table_view_sql(table, home.root))
            views = {file.name: file for file in read_view_files(shipped_file("sql"))}
            connection.execute(views["split_leaks"].sql)
            counted = connection.execute("select count(*) from benchmark_split").fetchone()
            proof.checked = counted[0] if counted else 0
            leaks = connection.execute("select kind, value, domains from split_leaks order by kind, value").fetchall()
        except duckdb.Error as error:
            reason = "a table cannot be read" if not tables.holds else _line(error)
            proof.faults.append(f"cannot be proved: {reason}")
            return proof
    proof.faults += [
        f"{kind} {value} is in benchmark and training ({', '.join(where)})" for kind, value, where in leaks
    ]
    return proof


def _leftovers(home: Home, read: dict[str, pa.Table], store: ItemStore, repair: bool) -> Proof:
    """Media of clips and copies of pairs that are gone, former versions of tables, what killed builds left: never a
    fault, only space."""
    named = store.named_files()
    warehouse = Warehouse(home.warehouse)
    for name in TABLES:
        for domain in DOMAINS if TABLES[name].is_partitioned else (None,):
            version = warehouse.version(name, domain)
            named |= {home.relative(version)} if version else set()
    for table, column in (
        ("clips", "thumbnail_path"),
        ("clip_media", "media_path"),
        ("benchmark_split", "first_frame_path"),
        ("generated_videos", "video_path"),
    ):
        named |= set(read[table][column].drop_null().to_pylist())
    sources = read["source_videos"]
    named |= {
        media.changes_path(home, row["domain"], row["source_id"], row["trim_s"])
        for row in each_row(sources, ("domain", "source_id", "trim_s"))
    }
    for task in each_row(read["preference_tasks"], ("task_id",)):
        named |= {home.relative(copy) for copy in copies_of(home, task)}
    proof = Proof("leftovers", "files")
    byte_count = 0
    now_s = disk_time_s(home.root)
    for path in _own_files(home):
        if home.relative(path) in named:
            continue
        try:
            status = path.lstat()
            if now_s - status.st_mtime < LEFTOVER_AFTER_S:
                continue
            proof.checked += 1
            byte_count += status.st_size
            if repair:
                remove(path)
        except FileNotFoundError:
            continue
    if proof.checked:
        what = "removed" if repair else "nothing names them; --repair removes them"
        proof.note = f"{byte_count / 1e6:.1f} MB: {what}"
    return proof


def _snapshots(home: Home) -> Proof:
    """Every snapshot is there as it was made. Nothing makes one again."""
    found = snapshots_of(home)
    parts = {
        home.relative(snapshot.folder / part.path): (snapshot, part)
        for snapshot in found.snapshots
        for part in snapshot.parts
    }
    proof = Proof("snapshots", "files", len(parts), list(found.broken.values()))
    for path, sha256 in _hashes(home, parts):
        snapshot, part = parts[path]
        if sha256 is None or not sha256.startswith(part.version):
            proof.faults.append(f"{path}: other bytes than were kept; emovid snapshot remove {snapshot.name}")
    return proof


def _own_files(home: Home) -> Iterator[Path]:
    """Every file that this program may have made: media, kept changes, versions of tables, and what killed writers left
    where nobody else writes; links are not followed."""
    for folder in (
        home.clips,
        home.thumbnails,
        home.first_frames,
        home.frame_changes,
        home.generated,
        home.study_videos,
    ):
        for directory, _, names in os.walk(folder):
            yield from (Path(directory, name) for name in sorted(names))
    yield from sorted(home.warehouse.rglob(VERSIONS))
    for folder in (home.warehouse, home.models, home.snapshots):
        yield from leftovers_below(folder)
    yield from (path for path in home.root.iterdir() if is_leftover(path.name))


def _hashes(home: Home, paths: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """(path, SHA-256) in order; null where the file cannot be read."""
    yield from _in_threads(lambda path: _hash(home.root / path), sorted(paths))


def _hash(path: Path) -> str | None:
    try:
        return file_sha256(path)
    except OSError:
        return None


def _in_threads(function: Callable[[Thing], Found], things: Sequence[Thing]) -> Iterator[tuple[Thing, Found]]:
    """Each thing with what is found of it, in order. Hashing leaves Python's lock, so threads help."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(things, pool.map(function, things), strict=True)


def _is_whole_picture(path: Path) -> bool:
    begin, end = PICTURES[path.suffix]
    try:
        with path.open("rb") as file:
            head = file.read(len(begin))
            file.seek(-len(end), os.SEEK_END)
            return head == begin and file.read() == end
    except OSError:
        return False


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
