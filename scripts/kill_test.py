"""Kills builds at random moments and proves that nothing is lost: `python scripts/kill_test.py --library FOLDER`.

The folder holds `movie/`, `animation/`, `sticker/` as a library does (and `annotations/`, if there are any); it is
only read. Each build is a real `emovid build` whose whole process group is ended by SIGKILL at a moment drawn from the
duration of an undisturbed build; the next one goes on where it stopped, and may be killed as well. A build that ends by
itself must have made the tables of the undisturbed one, value for value; then a fresh home begins, until all
kills are spent. Meanwhile another process opens the catalogue and queries every view, again and again.

Counted by triggers in `state.sqlite`: results that were stored twice, that is, finished items that were computed again.
Prints a JSON object and ends with 1 where anything differs.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.catalogue import build_catalogue
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES

ROOT = Path(__file__).resolve().parents[1]
COUNTING = """
CREATE TABLE stored (step TEXT, item_id TEXT, item_key TEXT);
CREATE TRIGGER stored_result AFTER INSERT ON items
  BEGIN INSERT INTO stored VALUES (new.step, new.item_id, new.item_key); END;
"""
READ_ONCE = "--read-until-stdin-ends"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", type=Path, help="an emovid.toml for all homes")
    parser.add_argument("--work", type=Path, help="folder for the homes; removed unless something differs")
    parser.add_argument("arguments", nargs="*", help="further arguments of `emovid build`, after `--`")
    chosen = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="kill-test-", dir=chosen.work))
    found = kill_test(work, chosen.library, chosen.kills, chosen.seed, chosen.arguments, chosen.settings)
    print(json.dumps(found, indent=1))
    if found["is_right"]:
        shutil.rmtree(work)
    return 0 if found["is_right"] else 1


def kill_test(
    work: Path, library: Path, kills: int, seed: int, arguments: list[str], settings: Path | None = None
) -> dict[str, Any]:
    """Everything that was counted; `is_right` where all of it is as it should be."""
    chance = random.Random(seed)
    # Reviews are planned from the benchmark of the build before: tables with annotations settle in the second one.
    extra_builds = 1 if (library / "annotations").is_dir() else 0
    reference = fresh_home(work / "undisturbed", library, settings)
    began = time.monotonic()
    finish(start_build(reference, arguments))
    duration_s = time.monotonic() - began
    for _ in range(extra_builds):
        finish(start_build(reference, arguments))
    expected = values(reference)
    computed = stored_counts(reference)

    moments: list[float] = []
    differences: list[str] = []
    cycles = repeated = 0
    reads: dict[str, Any] = {"queries": 0, "errors": []}
    while len(moments) < kills or cycles == 0:
        cycles += 1
        home = fresh_home(work / f"home-{cycles}", library, settings)
        reader = subprocess.Popen(
            [sys.executable, __file__, READ_ONCE, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        is_finished = False
        while not is_finished:
            build = start_build(home, arguments)
            if len(moments) < kills:
                moment = chance.uniform(0, duration_s)
                try:
                    build.wait(moment)
                except subprocess.TimeoutExpired:
                    os.killpg(build.pid, signal.SIGKILL)
                    moments.append(round(moment, 2))
                    print(f"kill {len(moments)} of {kills} at {moment:.1f} s of {duration_s:.1f} s", file=sys.stderr)
                    # Workers see that their parent is gone; nobody else writes while the next build begins.
                    build.wait()
                    continue
            finish(build)
            is_finished = True
        for _ in range(extra_builds):
            finish(start_build(home, arguments))
        told = json.loads(reader.communicate("")[0])
        reads["queries"] += told["queries"]
        reads["errors"] += told["errors"]
        got = values(home)
        differences += [f"home-{cycles}: {name}" for name in expected if got[name] != expected[name]]
        counts = stored_counts(home)
        repeated += sum(count - 1 for count in counts.values())
        if set(counts) != set(computed):
            differences.append(f"home-{cycles}: other items were computed")
    return {
        "is_right": not differences and not repeated and not reads["errors"] and reads["queries"] > 0,
        "undisturbed_s": round(duration_s, 1),
        "items": len(computed),
        "rows": sum(len(rows) for rows in expected.values()),
        "kills": len(moments),
        "kill_moments_s": moments,
        "finished_builds": cycles,
        "finished_items_computed_again": repeated,
        "differing_tables": differences,
        "reader_queries": reads["queries"],
        "reader_errors": reads["errors"][:5],
    }


def fresh_home(folder: Path, library: Path, settings: Path | None) -> Path:
    """A home with the library, a catalogue for the reader, and a store that counts."""
    folder.mkdir()
    (folder / "library").symlink_to(library.resolve(), target_is_directory=True)
    if settings is not None:
        shutil.copy(settings, folder / "emovid.toml")
    build_catalogue(folder, shipped_file("sql"))
    ItemStore(Home(folder).state).close()
    with sqlite3.connect(Home(folder).state) as connection:
        connection.executescript(COUNTING)
    connection.close()
    return folder


def start_build(home: Path, arguments: list[str]) -> "subprocess.Popen[bytes]":
    """`emovid build` as the leader of a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "emovid_assets.cli", "build", *arguments],
        env={**os.environ, "EMOVID_HOME": str(home), "PYTHONPATH": str(ROOT)},
        cwd=home,
        stdout=(home / "build.log").open("ab"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def finish(build: "subprocess.Popen[bytes]") -> None:
    if build.wait() != 0:
        raise SystemExit(f"emovid build ended with {build.returncode}; its output is in build.log of the last home")


def values(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table and domain without the moments at which things happened."""
    warehouse = Warehouse(Home(home).warehouse)
    found = {}
    for name, table in TABLES.items():
        columns = [column for column in table.column_names if not column.endswith("_at")]
        for domain in DOMAINS if table.is_partitioned else (None,):
            found[f"{name}/{domain}"] = warehouse.read(name, domain).select(columns).to_pylist()
    return found


def stored_counts(home: Path) -> dict[tuple[str, str, str], int]:
    """How often each result was stored."""
    connection = sqlite3.connect(Home(home).state)
    rows = connection.execute("SELECT step, item_id, item_key, count(*) FROM stored GROUP BY 1, 2, 3").fetchall()
    connection.close()
    return {(step, item_id, key): count for step, item_id, key, count in rows}


def read_until_stdin_ends(home: Path) -> None:
    """Opens the catalogue and queries every view, again and again."""
    import threading

    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    queries, errors = 0, []
    while not ended.is_set():
        try:
            with duckdb.connect(str(home / "catalogue.duckdb"), read_only=True) as connection:
                views = connection.execute("select view_name from duckdb_views() where not internal").fetchall()
                for (view,) in views:
                    connection.execute(f'select * from "{view}"').fetchall()
                    queries += 1
        except duckdb.Error as error:
            errors.append(str(error))
        ended.wait(1.0)
    print(json.dumps({"queries": queries, "errors": errors}))


if __name__ == "__main__":
    if sys.argv[1:2] == [READ_ONCE]:
        read_until_stdin_ends(Path(sys.argv[2]))
    else:
        sys.exit(main())
