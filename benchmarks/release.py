"""What a release costs: the paper's 22,758 clips as metadata, and a second release after ten labels have changed.

Run `python -m benchmarks.release [--clips 22758] [--media] [--markdown FILE]` from the repository; exits with 1 where a
release takes more than 20 s or 500 MB. Each release is made by a process of its own, as `emovid release make` makes it
but for the row in Dagster; its time is from start to end, its peak memory that of the whole process. With `--media`
each clip has a file of some 20 kB, and there are WebDataset shards too.

Beside it, in the same run: pandas reads the same rows of the catalogue and writes them as one Parquet and one CSV file,
without a digest, a gate, a card, a scan or a proof.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.measuring import cpu_seconds, fill
from benchmarks.measuring import table as markdown
from benchmarks.synthetic_warehouse import PAPER_CLIP_COUNT, plant_warehouse
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.catalogue import build_catalogue
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES

LIMIT_S, LIMIT_MB = 20.0, 500.0
SHOWN = ("s", "cpu_s", "peak_mb", "written", "written_mb", "linked", "version")
CHANGED_LABELS = 10
MEDIUM_BYTES = 20_000
LICENCE = "CC0-1.0"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=PAPER_CLIP_COUNT)
    parser.add_argument("--media", action="store_true")
    parser.add_argument("--markdown", type=Path, help="document whose table is written anew")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        return _child(*chosen.child)
    tier = "full" if chosen.media else "metadata"
    with tempfile.TemporaryDirectory(prefix="emovid-release-") as folder:
        home = Home(Path(folder).resolve() / "home")
        _plant(home, chosen.clips, has_media=chosen.media)
        rows = []
        for name, task in (
            ("first release", tier),
            ("nothing changed", tier),
            (f"{CHANGED_LABELS} labels changed", tier),
            ("pandas, Parquet and CSV", "pandas"),
        ):
            if name.endswith("labels changed"):
                _change_labels(home)
            rows.append((name, _measured(home, task)))
    text = markdown(
        ("what", "s", "CPU s", "peak MB", "files written", "MB written", "files linked", "version"),
        [(name, *(one[key] for key in SHOWN)) for name, one in rows],
    )
    print(text)
    if chosen.markdown:
        fill(chosen.markdown, "release-cost-media" if chosen.media else "release-cost", text)
    releases = [one for name, one in rows if not name.startswith("pandas")]
    return int(any(one["s"] > LIMIT_S or one["peak_mb"] > LIMIT_MB for one in releases))


def _plant(home: Home, clip_count: int, *, has_media: bool) -> None:
    plant_warehouse(home.root, clip_count)
    warehouse = Warehouse(home.warehouse)
    for domain in ("movie", "animation", "sticker"):
        sources = warehouse.read("source_videos", domain)
        index = sources.column_names.index("license")
        sources = sources.set_column(
            index, sources.schema.field(index), pa.array([LICENCE] * sources.num_rows, pa.string())
        )
        warehouse.write("source_videos", domain, sources)
        if has_media:
            _plant_media(home, warehouse, domain)
    build_catalogue(home.root, shipped_file("sql"))


def _plant_media(home: Home, warehouse: Warehouse, domain: str) -> None:
    rows = []
    for row in warehouse.read("clip_media", domain).to_pylist():
        data = sha256(row["clip_id"].encode()).digest() * (MEDIUM_BYTES // 32)
        path = home.root / row["media_path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        rows.append(row | {"sha256": sha256(data).hexdigest(), "size_bytes": len(data)})
    warehouse.write("clip_media", domain, TABLES["clip_media"].from_rows(rows))
    for name in warehouse.read("benchmark_split", domain)["first_frame_path"].drop_null().to_pylist():
        (home.root / name).parent.mkdir(parents=True, exist_ok=True)
        (home.root / name).write_bytes(name.encode())


def _change_labels(home: Home) -> None:
    """Ten clips of the training split of films get another emotion, as people who correct labels would give them."""
    warehouse = Warehouse(home.warehouse)
    split = warehouse.read("benchmark_split", "movie")
    chosen = split.filter(pc.equal(split["split"], "train"))["clip_id"].to_pylist()[:CHANGED_LABELS]
    labels = []
    for row in warehouse.read("emotion_labels", "movie").to_pylist():
        if row["clip_id"] in chosen:
            row["emotion"] = EMOTION_NAMES[(EMOTION_NAMES.index(row["emotion"]) + 1) % len(EMOTION_NAMES)]
        labels.append(row)
    warehouse.write("emotion_labels", "movie", TABLES["emotion_labels"].from_rows(labels))
    build_catalogue(home.root, shipped_file("sql"))


def _measured(home: Home, task: str) -> dict[str, float | str]:
    started = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.release", "--child", str(home.root), task],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )
    return {"s": time.monotonic() - started, **json.loads(run.stdout.splitlines()[-1])}


def _child(root: str, task: str) -> int:
    home = Home(Path(root))
    said = _write_plainly(home) if task == "pandas" else _release(home, task)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**said, "peak_mb": peak_mb, "cpu_s": cpu_seconds()}))
    return 0


def _release(home: Home, tier: str) -> dict[str, float | str]:
    from emovid_assets.building.releasing import make_release, one_at_a_time, prepare

    has_shards = tier == "full"
    with one_at_a_time(home):
        made = make_release(home, prepare(home, "paper-sized", tier, has_shards=has_shards))  # type: ignore[arg-type]
    effort = made.effort
    return {
        "version": made.release.folder_name if made.is_new else "none",
        "written": effort.written_count if made.is_new else 0,
        "written_mb": effort.written_bytes / 1e6 if made.is_new else 0.0,
        "linked": effort.linked_count if made.is_new else 0,
    }


def _write_plainly(home: Home) -> dict[str, float | str]:
    from emovid_assets.resources.catalogue import open_catalogue
    from emovid_assets.resources.release.rows import released_rows

    with open_catalogue(home.root, shipped_file("sql")) as connection:
        frame = released_rows(connection).to_pandas()
    parquet, text = home.root / "plain.parquet", home.root / "plain.csv"
    frame.to_parquet(parquet, compression="zstd")
    frame.to_csv(text, index=False)
    size = parquet.stat().st_size + text.stat().st_size
    return {"version": "", "written": 2, "written_mb": size / 1e6, "linked": 0}


if __name__ == "__main__":
    sys.exit(main())
