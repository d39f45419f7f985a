"""Opens the catalogue while builds replace every table: `python scripts/read_test.py --library FOLDER --opens 1000`.

The folder holds `movie/`, `animation/`, `sticker/` as a library does (and `annotations/`, if there are any); it is
only read. One `emovid build` follows another, each with other settings, so that tables really change. Meanwhile
other processes open `catalogue.duckdb` read-only with DuckDB, again and again. With every open they

- query views, so that each view is asked again and again,
- take a fingerprint of every Parquet file through the catalogue: it must be that of a file which a build has put
  there as a whole,
- ask what holds whatever is replaced: a clip has one row, shares and probabilities sum to 1.

Whoever opens the catalogue in the middle of a build sees the tables that are made already beside older ones: what is
compared between tables is counted, but promised only after the build. Prints a JSON object and ends with 1 where
anything is wrong.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import duckdb

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.placing import put_text
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SETTINGS_FILE
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.catalogue import build_catalogue
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES

ROOT = Path(__file__).resolve().parents[1]
READ = "--read-until-stdin-ends"
_PEOPLE = "[annotation]\nhuman_fraction = 0.75\nvalidation_minimum = {minimum}\n"
# By turns: other clips and colours, which takes a while, and another sample of people and another benchmark.
SETTINGS = tuple(
    f'seed = "{seed}"\n' + _PEOPLE.format(minimum=minimum) + f"[benchmark]\nper_cell = {per_cell}\n"
    f"[scenes]\nmin_whole_s = {min_whole_s}\nframe_stride = {frame_stride}\n"
    for seed, minimum, per_cell, min_whole_s, frame_stride in (
        ("one", 20, 3, 0.2, 20),
        ("two", 10, 1, 0.9, 10),
        ("three", 20, 2, 0.9, 10),
        ("four", 12, 3, 0.2, 20),
    )
)
INVARIANTS = {
    "a clip has one row": "select count(*) - count(distinct clip_id) from clips",
    "a clip has one row of facts": "select count(*) - count(distinct clip_id) from clip_facts",
    "a clip has one label": "select count(*) - count(distinct clip_id) from emotion_labels",
    "shares sum to 1": "select count(*) from (select sum(clip_share) as total from emotion_distribution "
    "group by domain) where abs(total - 1) > 1e-9",
    "shares of outcomes sum to 1": "select count(*) from (select sum(clip_share) as total from "
    "human_labels_by_outcome group by domain) where abs(total - 1) > 1e-9",
    "probabilities sum to 1": "select count(*) from (select sum(probability) as total from emotion_transitions "
    "group by kind, from_emotion) where abs(total - 1) > 1e-9",
    "the total is that of the domains": "select sum(clip_count) filter (where domain = 'total') - "
    "sum(clip_count) filter (where domain <> 'total') from dataset_statistics",
    "a benchmark cell lacks what it has not": "select count(*) from benchmark_cells "
    "where missing_count <> greatest(wanted_count - clip_count, 0)",
}
"""What one query must answer with 0, whichever build its files are of."""

BETWEEN_TABLES = {
    "benchmark clips that are no clips": "select count(*) from benchmark_split anti join clips using (clip_id)",
    "labels of clips that are none": "select count(*) from emotion_labels anti join clips using (clip_id)",
    "clips that are not in clip_facts": "select count(*) from clips anti join clip_facts using (clip_id)",
}
"""What is 0 after a build, and may be more while it runs."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--opens", type=int, default=1000)
    parser.add_argument("--readers", type=int, default=2, help="processes that open the catalogue")
    parser.add_argument("--views-per-open", type=int, help="in turn, as many files and rules; without it all of them")
    parser.add_argument("--work", type=Path, help="folder for the home; removed unless something is wrong")
    parser.add_argument("arguments", nargs="*", help="further arguments of `emovid build`, after `--`")
    chosen = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="read-test-", dir=chosen.work))
    found = read_test(work, chosen.library, chosen.opens, chosen.readers, chosen.arguments, chosen.views_per_open)
    print(json.dumps(found, indent=1))
    if found["is_right"]:
        shutil.rmtree(work)
    return 0 if found["is_right"] else 1


def read_test(
    work: Path,
    library: Path,
    opens: int,
    readers: int,
    arguments: list[str],
    views_per_open: int | None = None,
) -> dict[str, Any]:
    """Everything that was counted; `is_right` where all of it is as it should be."""
    home = work / "home"
    home.mkdir()
    (home / "library").symlink_to(library.resolve(), target_is_directory=True)
    build_catalogue(home, shipped_file("sql"))
    _build(home, SETTINGS[0], arguments)
    versions = [_fingerprints(home)]

    each = -(-opens // readers)
    command = [sys.executable, __file__, READ, str(home), str(each), str(views_per_open or 0)]
    reading = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(readers)]
    told: list[dict[str, Any]] = []
    # Their reports may be longer than a pipe holds.
    waiting = [
        threading.Thread(target=lambda reader=reader: told.append(json.loads(reader.communicate()[0])))
        for reader in reading
    ]
    for thread in waiting:
        thread.start()
    broken: dict[str, int] = {}
    builds = 0
    for settings in islice(cycle(SETTINGS), 1, None):
        if all(reader.poll() is not None for reader in reading):
            break
        _build(home, settings, arguments)
        builds += 1
        versions.append(_fingerprints(home))
        after = _answers(home, BETWEEN_TABLES)
        broken |= {name: count for name, count in after.items() if count}
    for thread in waiting:
        thread.join()

    whole = {name: {version[name] for version in versions} | {None} for name in versions[0]}
    seen: dict[str, set[str | None]] = {}
    for report in told:
        for name, prints in report["fingerprints"].items():
            seen.setdefault(name, set()).update(prints)
    torn = {name: sorted(map(str, prints - whole[name])) for name, prints in seen.items() if prints - whole[name]}
    errors = [error for report in told for error in report["errors"]]
    violations = [text for report in told for text in report["violations"]]
    opened = sum(report["opens"] for report in told)
    return {
        "is_right": not (errors or violations or torn or broken) and opened >= opens and builds > 0,
        "opens": opened,
        "queries": sum(report["queries"] for report in told),
        "builds_meanwhile": builds,
        "files": len(whole),
        "files_that_changed": sum(len(prints - {None}) > 1 for prints in whole.values()),
        "versions_of_files_seen": sum(len(prints) for prints in seen.values()),
        "opens_between_two_builds_tables": sum(report["mixed"] for report in told),
        "errors": errors[:5],
        "violations": violations[:5],
        "torn_files": torn,
        "broken_after_a_build": broken,
    }


def _build(home: Path, settings: str, arguments: list[str]) -> None:
    put_text(home / SETTINGS_FILE, settings)
    with (home / "build.log").open("ab") as log:
        done = subprocess.run(
            [sys.executable, "-m", "emovid_assets.cli", "build", *arguments],
            env={**os.environ, "EMOVID_HOME": str(home), "PYTHONPATH": str(ROOT)},
            cwd=home,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"emovid build ended with {done.returncode}; its output is in {home / 'build.log'}")


def _fingerprints(home: Path) -> dict[str, str | None]:
    """The rows of every Parquet file, as `_fingerprint_queries` sees them; null where there are none."""
    warehouse = Warehouse(Home(home).warehouse)
    found: dict[str, str | None] = {}
    with duckdb.connect() as connection:
        for name, domain, _ in _fingerprint_queries():
            rows = warehouse.read(name, domain)
            connection.register("rows_read", rows)
            (found[f"{name}/{domain}"],) = connection.execute(_fingerprint("rows_read")).fetchall()[0]
            connection.unregister("rows_read")
    return found


def _fingerprint_queries() -> list[tuple[str, str | None, str]]:
    """(table, domain, query) of every file of the warehouse."""
    return [
        (name, domain, _fingerprint(f"(from {name} where domain = '{domain}')" if domain else name))
        for name, table in TABLES.items()
        for domain in (DOMAINS if table.is_partitioned else (None,))
    ]


def _fingerprint(rows: str) -> str:
    return f"select count(*) || ' rows ' || bit_xor(hash(to_json(part))) from {rows} as part"


def _answers(home: Path, queries: dict[str, str]) -> dict[str, int]:
    with duckdb.connect(str(home / "catalogue.duckdb"), read_only=True) as connection:
        return {name: int(connection.execute(query).fetchall()[0][0] or 0) for name, query in queries.items()}


def read(home: Path, opens: int, views_per_open: int) -> dict[str, Any]:
    """Opens the catalogue that often; what was seen, counted."""
    path = str(home / "catalogue.duckdb")
    with duckdb.connect(path, read_only=True) as connection:
        found = connection.execute("select view_name from duckdb_views() where not internal").fetchall()
    views = [name for (name,) in found]
    in_turn = cycle([name for name in views if name not in TABLES])
    files = cycle(_fingerprint_queries())
    invariants = cycle(INVARIANTS.items())
    report: dict[str, Any] = {"opens": 0, "queries": 0, "mixed": 0, "errors": [], "violations": []}
    prints: dict[str, set[str | None]] = {}
    count = views_per_open or len(views) - len(TABLES)
    file_count = views_per_open or len(_fingerprint_queries())
    check_count = views_per_open or len(INVARIANTS)
    for _ in range(opens):
        queries = [f'select * from "{name}"' for name in islice(in_turn, count)]
        try:
            with duckdb.connect(path, read_only=True) as connection:
                for query in queries:
                    connection.execute(query).fetchall()
                for table, domain, query in islice(files, file_count):
                    (found,) = connection.execute(query).fetchall()[0]
                    prints.setdefault(f"{table}/{domain}", set()).add(found)
                for name, query in islice(invariants, check_count):
                    (wrong,) = connection.execute(query).fetchall()[0]
                    if wrong:
                        report["violations"].append(f"{name}: {wrong}")
                between = [connection.execute(query).fetchall()[0][0] for query in BETWEEN_TABLES.values()]
            report["mixed"] += any(between)
            report["queries"] += count + file_count + check_count + len(between)
        except duckdb.Error as error:
            report["errors"].append(str(error))
        report["opens"] += 1
    return report | {"fingerprints": {name: sorted(found, key=str) for name, found in prints.items()}}


if __name__ == "__main__":
    if sys.argv[1:2] == [READ]:
        print(json.dumps(read(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
    else:
        sys.exit(main())
