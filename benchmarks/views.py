"""How long each SQL view takes, and how much memory, at the paper's 22,758 clips or at any number of synthetic ones.

Run `python -m benchmarks.views [--clips 10000000] [--home FOLDER] [--markdown FILE]` from the repository. Exits
with 1 where a query takes longer than the limit (0.1 s up to 100,000 clips, 1 s above), so that it can be used as
a check on a quiet machine.

A view of few rows is fetched whole. Nobody fetches ten million rows to look at: a view with a row per clip is
asked what people ask of it, see `USES`. Each query has a process of its own, two threads and a limit on DuckDB's
memory; each of its runs has a fresh connection. `cold` runs after the kernel was asked to drop the warehouse's files
from its cache, `warm` runs after such a run; both are medians, and so is `CPU`, the processor time of a warm run on
both cores together, which a busy machine does not change. Peak memory is that of the whole process, Python and its
modules included.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.synthetic_warehouse import PAPER_CLIP_COUNT, plant_warehouse
from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.catalogue import CATALOGUE_NAME, build_catalogue
from emovid_assets.resources.sql_files import read_view_files
from emovid_assets.tables.registry import TABLES

THREADS = 2
DERIVED = ("clip_facts", "disputed_clips", "caption_phrase_counts")
SMALL_LIBRARY = 100_000
SMALL_LIMIT_S, LARGE_LIMIT_S = 0.1, 1.0
USES = {
    "clip_catalogue": {
        "how many": "select count(*) from clip_catalogue",
        "mean length by emotion": "select emotion, count(*), avg(duration_s) from clip_catalogue group by emotion",
        "20 brightest of fear": "select clip_id, brightness_mean, media_path from clip_catalogue "
        "where emotion = 'fear' order by brightness_mean desc, clip_id limit 20",
        "the same, all columns": "select * from clip_catalogue where emotion = 'fear' "
        "order by brightness_mean desc, clip_id limit 20",
        "one source": "select * from clip_catalogue where source_id = "
        "(select source_id from source_videos where domain = 'movie' limit 1)",
    },
    "label_disagreements": {
        "how many": "select count(*) from label_disagreements",
        "by domain": "select domain, purpose, count(*) from label_disagreements group by all",
        "20 of fear": "select * from label_disagreements where human_emotion = 'fear' limit 20",
        "one clip": "select * from label_disagreements where clip_id = "
        "(select clip_id from clips where domain = 'movie' limit 1)",
    },
}
"""Of views with a row per clip: what is asked of them, {name: query}. Any other view is fetched whole."""


@dataclass(frozen=True)
class _Run:
    seconds: float
    cpu_seconds: float
    row_count: int


def queries(sql_folder: Path) -> list[tuple[str, str, str]]:
    """(view, use, query) of every view, by name."""
    return [
        (name, use, query)
        for name in sorted(file.name for file in read_view_files(sql_folder))
        for use, query in USES.get(name, {"whole": f"select * from {name}"}).items()
    ]


def measure(home: Path, query: str, repeat: int, memory_limit: str) -> dict[str, float]:
    """Runs the query in a process of its own: rows, medians `cold_s`, `warm_s`, `cpu_s` (warm), and `peak_mb`."""
    command = [sys.executable, "-m", "benchmarks.views", "--child", query, "--home", str(home)]
    command += ["--repeat", str(repeat), "--memory-limit", memory_limit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{query}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout)


def _child(home: Path, query: str, repeat: int, memory_limit: str) -> None:
    cold = []
    for _ in range(repeat):
        _forget_files(home)
        cold.append(_run(home, query, memory_limit))
    warm = [_run(home, query, memory_limit) for _ in range(repeat)]
    found = {
        "rows": warm[0].row_count,
        "cold_s": statistics.median(run.seconds for run in cold),
        "warm_s": statistics.median(run.seconds for run in warm),
        "cpu_s": statistics.median(run.cpu_seconds for run in warm),
        "peak_mb": _peak_mb(),
    }
    print(json.dumps(found))


def _run(home: Path, query: str, memory_limit: str) -> _Run:
    settings = {"threads": THREADS, "memory_limit": memory_limit, "temp_directory": str(home / ".spilled")}
    with duckdb.connect(str(home / CATALOGUE_NAME), read_only=True, config=settings) as connection:
        start, start_cpu = time.perf_counter(), time.process_time()
        row_count = connection.sql(query).to_arrow_table().num_rows
        return _Run(time.perf_counter() - start, time.process_time() - start_cpu, row_count)


def _peak_mb() -> float:
    """Of this process alone: `getrusage` begins with the peak of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def _forget_files(home: Path) -> None:
    """Asks the kernel to drop the warehouse from its file cache; pages must have been written, hence the sync."""
    for path in (home / "warehouse").rglob("*.parquet"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def markdown(
    clip_count: int,
    size_mb: float,
    memory_limit: str,
    rows: list[dict[str, float | str]],
    derived: list[dict[str, float | str]],
) -> str:
    lines = [
        f"{clip_count:,} clips, {size_mb:,.0f} MB of Parquet, {THREADS} threads, DuckDB's memory_limit {memory_limit}.",
        "",
        "| view | query | rows | warm, ms | cold, ms | CPU, ms | peak memory, MB |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| `{row['view']}` | {row['use']} | {row['rows']:,} | {row['warm_s'] * 1000:,.0f} | "
        f"{row['cold_s'] * 1000:,.0f} | {row['cpu_s'] * 1000:,.0f} | {row['peak_mb']:,.0f} |"
        for row in rows
    ]
    made = [table for table in derived if table["is_new"]]
    if made:
        lines += ["", "| derived table | wall, s | CPU, s | peak memory, MB |", "|---|--:|--:|--:|"]
        lines += [f"| `{t['table']}` | {t['seconds']:,.1f} | {t['cpu_s']:,.1f} | {t['peak_mb']:,.0f} |" for t in made]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=PAPER_CLIP_COUNT, help="how many to make up")
    parser.add_argument("--home", type=Path, help="keep the warehouse here, and take the one that is there")
    parser.add_argument("--views", nargs="*", help="of these views only")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each query; the median counts")
    parser.add_argument("--memory-limit", default="4GB", help="DuckDB's, per query")
    parser.add_argument("--markdown", type=Path, help="write the table to this file too")
    parser.add_argument("--derive", metavar="TABLE", help=argparse.SUPPRESS)
    parser.add_argument("--child", metavar="QUERY", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(arguments.home, arguments.child, arguments.repeat, arguments.memory_limit)
        return 0
    if arguments.derive:
        _derive_child(arguments.home, arguments.derive)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        home = arguments.home or Path(folder)
        start = time.perf_counter()
        if not (home / "warehouse").exists():
            plant_warehouse(home, arguments.clips)
            print(f"warehouse made in {time.perf_counter() - start:.0f} s", flush=True)
        derived = _derive(home)
        return _benchmark(home, arguments, derived)


def _derive(home: Path) -> list[dict[str, float | str]]:
    """Makes the derived tables that are not there, each in a process of its own: name, seconds and peak memory."""
    found = []
    for name in DERIVED:
        command = [sys.executable, "-m", "benchmarks.views", "--derive", name, "--home", str(home)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
        print("derived {table}: {seconds:.1f} s, CPU {cpu_s:.1f} s, {peak_mb:.0f} MB".format(**found[-1]), flush=True)
    return found


def _derive_child(home: Path, table: str) -> None:
    # Dagster takes memory that the queries, which this module's other processes run, do not need.
    from emovid_assets.resources import deriving
    from emovid_assets.resources.project import Project

    project, derive = Project(home_folder=str(home)), getattr(deriving, f"derive_{table}")
    start = time.perf_counter()
    domains = DOMAINS if TABLES[table].is_partitioned else (None,)
    made = [derive(project, domain) if domain else derive(project) for domain in domains]
    told = {
        "table": table,
        "seconds": time.perf_counter() - start,
        "cpu_s": time.process_time(),
        "peak_mb": _peak_mb(),
        "is_new": any(made),
    }
    print(json.dumps(told))


def _benchmark(home: Path, arguments: argparse.Namespace, derived: list[dict[str, float | str]]) -> int:
    sql_folder = shipped_file("sql")
    build_catalogue(home, sql_folder)
    size_mb = sum(path.stat().st_size for path in (home / "warehouse").rglob("*.parquet")) / 1e6
    with duckdb.connect(str(home / CATALOGUE_NAME), read_only=True) as connection:
        (clip_count,) = connection.execute("select count(*) from clips").fetchall()[0]
    limit_s = SMALL_LIMIT_S if clip_count <= SMALL_LIBRARY else LARGE_LIMIT_S
    print(f"{clip_count:,} clips, {size_mb:,.0f} MB; limit {limit_s} s, warm")
    rows: list[dict[str, float | str]] = []
    for view, use, query in queries(sql_folder):
        if arguments.views and view not in arguments.views:
            continue
        found = measure(home, query, arguments.repeat, arguments.memory_limit)
        rows.append({"view": view, "use": use, **found})
        mark = "  SLOW" if found["warm_s"] > limit_s else ""
        print(
            f"{view:26} {use:24} {found['rows']:9,} rows  warm {found['warm_s'] * 1000:7.0f} ms  "
            f"cold {found['cold_s'] * 1000:7.0f} ms  CPU {found['cpu_s'] * 1000:7.0f} ms  "
            f"{found['peak_mb']:6.0f} MB{mark}",
            flush=True,
        )
    if arguments.markdown:
        text = markdown(clip_count, size_mb, arguments.memory_limit, rows, derived)
        arguments.markdown.write_text(text, encoding="utf-8")
    slow = [row for row in rows if row["warm_s"] > limit_s]
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
