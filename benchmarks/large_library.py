"""A large library that anyone can make without decoding a video, and how long each command takes in it.

`python -m benchmarks.large_library [--clips 22758] [--home FOLDER] [--against COMMIT]` from the repository. An empty
home is built by the product; then files are linked into `library/`, `media/clips/` and `media/thumbnails/`, results of
all media steps are put into `state.sqlite` under the keys that the steps ask for, the tables of `synthetic_warehouse`
go into `warehouse/`, and what the last build has noted of both is brought up to that. Each command then runs in a
process of its own, and has to find that nothing is new: wall and processor seconds, and peak memory.

Belongs here: that home, and those times. Does not belong here: the rows (`synthetic_warehouse`), views (`views`). Every
source has twelve clips. Tables that no view and no step reads are empty, and the clip files hold no pictures.
"""

import argparse
import hashlib
import json
import logging
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import count, islice
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq

from benchmarks.measuring import table
from benchmarks.media_against import ROOT, tree_of
from benchmarks.rest import step_count
from benchmarks.synthetic_warehouse import PAPER_CLIP_COUNT, plant_warehouse
from benchmarks.unchanged import TRACKS
from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.news import VERSION_IS_STATE
from emovid_assets.freshness.staleness import INPUT_TAG, VERSION_TAG
from emovid_assets.home.folders import Home
from emovid_assets.resources import deriving, media
from emovid_assets.resources.compute import Item, Outcome, Step
from emovid_assets.resources.item_store import FinishedItem
from emovid_assets.resources.library import known_and_new
from emovid_assets.resources.library_files import LIBRARY_TAG, listing
from emovid_assets.resources.project import Project
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES

LOG = logging.getLogger("benchmark")
COMMANDS = {
    "status": ["status"],
    "plan": ["plan"],
    "build, nothing changed": ["build"],
    "sql": ["sql", "from dataset_statistics"],
}
LINKS_OF_A_FILE = 50_000
"""File systems allow some 65,000 names of one file."""
AT_ONCE = 50_000
Row = dict[str, Any]


class Links:
    """Names of files that take no room."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._folder, self._size, self._numbers, self._left = folder, size_bytes, count(), 0
        folder.mkdir(parents=True)

    def make(self, target: Path) -> None:
        if not self._left:
            self._file = self._folder / str(next(self._numbers))
            with self._file.open("wb") as file:
                file.truncate(self._size)
            self._left = LINKS_OF_A_FILE
        os.link(self._file, target)
        self._left -= 1


class Planting:
    """In place of `Project.compute`: every item is finished, and the files that it has made are there."""

    def __init__(self, project: Project, payload_of: Callable[[Item], Row], links: Links, size_bytes: int) -> None:
        self._project, self._payload_of, self._links, self._size = project, payload_of, links, size_bytes

    def __call__(self, step: Step, domain: str, items: Iterable[Item], log: logging.Logger, **_: Any) -> Outcome:
        waiting = iter(items)
        while made := [self._finished(step, item) for item in islice(waiting, AT_ONCE)]:
            self._project.with_store(lambda store, made=made: store.settle(step.name, domain, made))
        return Outcome({})

    def _finished(self, step: Step, item: Item) -> FinishedItem:
        payload = self._payload_of(item)
        paths = payload.get("files", [])
        for path in paths:
            self._links.make(self._project.home.root / path)
        key = f"{item.content}|{step.version}|{step.config}"
        return FinishedItem(item.item_id, key, payload, dict.fromkeys(paths, self._size))


def make(home: Home, clip_count: int) -> None:
    """The whole home; takes a minute a million clips and more where the disk is slow."""
    home.root.mkdir(parents=True)
    _call(ROOT, home, ["build"])
    plant_warehouse(home.root, clip_count)
    project = Project(home_folder=str(home.root))
    sources = Links(home.root / ".linked" / "sources", 4096)
    made = Links(home.root / ".linked" / "media", 1024)
    for domain in DOMAINS:
        _plant_files(project, domain, sources)
        _plant_items(project, domain, made)
        deriving.derive_clip_facts(project, domain)
        deriving.derive_disputed_clips(project, domain)
    _note(home)


def _rows(project: Project, table: str, domain: str, columns: Sequence[str]) -> Iterator[Row]:
    with pq.ParquetFile(project.warehouse.path(table, domain)) as file:
        for batch in file.iter_batches(AT_ONCE, columns=list(columns)):
            yield from batch.to_pylist()


def _plant_files(project: Project, domain: str, links: Links) -> None:
    home = project.home
    (home.library / domain).mkdir(parents=True, exist_ok=True)
    facts = []
    for row in _rows(project, "source_videos", domain, ["path", "sha256"]):
        links.make(home.root / row["path"])
        status = os.stat(home.root / row["path"])
        facts.append((row["path"], status.st_size, status.st_mtime_ns, row["sha256"]))
    project.with_store(lambda store: store.remember_hashes(facts))


def _plant_items(project: Project, domain: str, links: Links) -> None:
    home = project.home
    clips, thumbnails = home.relative(home.clips / domain), home.relative(home.thumbnails / domain)
    for folder in (clips, thumbnails):
        (home.root / folder).mkdir(parents=True, exist_ok=True)

    def segments() -> Iterator[tuple[str, Row]]:
        columns = ("clip_id", "source_id", "is_kept", *media.PLACE)
        rows = _rows(project, "scanned_segments", domain, columns)
        return ((row["clip_id"], row) for row in rows if row["is_kept"])

    clips_of: dict[str, list[str]] = {}
    for clip_id, row in segments():
        clips_of.setdefault(row["source_id"], []).append(clip_id)
    numbers = [number / 7 for number in range(60)]

    def scanned(item: Item) -> Row:
        found = clips_of.get(item.item_id, [])
        parts = [{"clip_id": clip_id, "is_kept": True, "numbers": numbers} for clip_id in found]
        return {"segments": parts, "video_start_s": 0.0, "files": [f"{thumbnails}/{clip_id}.jpg" for clip_id in found]}

    def planting(payload_of: Callable[[Item], Row]) -> Any:
        return mock.patch.object(Project, "compute", Planting(project, payload_of, links, 1024))

    files, _ = project.with_store(lambda store: known_and_new(home, domain, store))
    by_id = {f"{domain}-{file.sha256[:16]}": file for file in files}
    sources = list(_rows(project, "source_videos", domain, media.FOR_SCAN))
    with planting(lambda _: {"tracks": TRACKS, "container": "mp4", "video_codec": "h264", "fps": 24.0}):
        media.probe(project, domain, by_id, LOG)
    with planting(scanned):
        media.scan(project, domain, sources, LOG)
    with planting(lambda item: {"sha256": "0" * 64, "files": [f"{clips}/{item.item_id}.mp4"]}):
        media.clip_files(project, domain, sources, segments(), LOG)
    files_of_clips = (row for row in _rows(project, "clip_media", domain, media.FOR_FINGERPRINTS))
    with planting(lambda item: {"picture_sha256": "0" * 64, "picture_hashes": ["0" * 16] * 33}):
        media.fingerprints(project, domain, files_of_clips, LOG)
    split = _rows(project, "benchmark_split", domain, ["clip_id", "split"])
    chosen = {row["clip_id"] for row in split if row["split"] == "benchmark"}
    wanted = (
        row
        for row in _rows(project, "clip_media", domain, TABLES["clip_media"].column_names)
        if row["clip_id"] in chosen
    )
    with planting(lambda _: {"first_frame_index": 0}):
        media.first_frames(project, domain, list(wanted), LOG)


def _note(home: Home) -> None:
    """What the last build has noted of its library and of tables that are named by their files, as both are now."""
    warehouse = Warehouse(home.warehouse)
    tags = {("source_videos", domain): (LIBRARY_TAG, listing(home, domain).digest) for domain in DOMAINS}
    tags |= {
        (name, domain): (VERSION_TAG, warehouse.state(name, domain))
        for name in VERSION_IS_STATE
        for domain in (DOMAINS if TABLES[name].is_partitioned else (None,))
    }
    where = "$.dagster_event.event_specific_data.materialization.tags"
    with closing(sqlite3.connect(home.root / "dagster" / "history" / "runs" / "index.db")) as log, log:
        rows = log.execute(
            "SELECT id, asset_key, partition, json_extract(event, ?) FROM event_logs"
            " WHERE dagster_event_type = 'ASSET_MATERIALIZATION'",
            (where,),
        ).fetchall()
        for number, key, domain, found in rows:
            noted, name = json.loads(found), json.loads(key)[-1]
            noted |= dict([tags[name, domain]] if (name, domain) in tags else [])
            # What was made from such a table names its version too.
            for parent in VERSION_IS_STATE:
                if (tag := f"{INPUT_TAG}{parent}") in noted:
                    noted[tag] = _version(warehouse, parent, domain)
            changed = "UPDATE event_logs SET event = json_set(event, ?, json(?)) WHERE id = ?"
            log.execute(changed, (where, json.dumps(noted), number))


def _version(warehouse: Warehouse, table: str, domain: str | None) -> str:
    """As an asset of this domain, or of all, notes it."""
    if domain or not TABLES[table].is_partitioned:
        return warehouse.state(table, domain)
    return hashlib.sha256("".join(warehouse.state(table, one) for one in sorted(DOMAINS)).encode()).hexdigest()


def _call(tree: Path, home: Home, arguments: Sequence[str]) -> tuple[float, float, float]:
    """(wall, processor seconds, peak MB) of a command. Raises SystemExit where it fails."""
    environment = {**os.environ, "EMOVID_HOME": str(home.root), "PYTHONPATH": str(tree)}
    with tempfile.TemporaryFile() as told:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "emovid_assets.cli", *arguments],
            env=environment,
            # Not here: Python would take the package of this folder.
            cwd=home.root,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        told.seek(0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"emovid {' '.join(arguments)} of {tree}:\n{told.read().decode()[-2000:]}")
    return wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=PAPER_CLIP_COUNT)
    parser.add_argument("--home", type=Path, help="keep the home here, and take the one that is there")
    parser.add_argument("--against", help="a commit that is measured too")
    parser.add_argument("--repeats", type=int, default=1)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="emovid-large-"))
        home = Home((chosen.home or Path(folder) / "home").resolve())
        if not home.root.exists():
            # In a process of its own: the peak of a child begins with what its parent holds.
            began = time.perf_counter()
            maker = multiprocessing.get_context("spawn").Process(target=make, args=(home, chosen.clips))
            maker.start()
            maker.join()
            if maker.exitcode:
                raise SystemExit("the home could not be made")
            print(f"made in {time.perf_counter() - began:.0f} s", flush=True)
        trees = [ROOT, *([stack.enter_context(tree_of(chosen.against))] if chosen.against else [])]
        rows = []
        for name, arguments in COMMANDS.items():
            for tree in trees:
                # The first look of a tree keeps what the next ones start from.
                _call(tree, home, arguments)
                steps = step_count(home.root)
                wall_s, cpu_s, peak_mb = min(_call(tree, home, arguments) for _ in range(chosen.repeats))
                if step_count(home.root) != steps:
                    raise SystemExit(f"{name} has built something; nothing was new")
                whose = "now" if tree is ROOT else chosen.against
                rows.append([f"`{name}`", whose, f"{wall_s:.2f} s", f"{cpu_s:.2f} s", f"{peak_mb:,.0f} MB"])
                print(rows[-1], flush=True)
    print(table(["command", "by", "wall", "CPU", "peak memory"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
