"""Releases of a built demo, made by the writers of each format alone.

Belongs here: rows as a release has them, and its folder. Does not belong here: who decides what a release may hold, and
what readers should find.
"""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.core.release import layout
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES
from emovid_assets.tables.release import RELEASE_CLIPS, RELEASE_FACTS

WITHHELD_EVERY = 5
"""Of the clips, counted in order: of one in so many a release has the row only."""


def release_rows(home: Path, *, withheld_every: int = WITHHELD_EVERY) -> pa.Table:
    """A row a clip of all splits, in the order of clips; all of split `unused` are without a file."""
    rows = {clip_id: dict(row) for clip_id, row in _columns_of(home, "clips").items()}
    sources = {row["source_id"]: row for row in _read(home, "source_videos")}
    for name, names in RELEASE_FACTS.items():
        if name in ("clips", "source_videos"):
            continue
        known = _columns_of(home, name)
        for clip_id, row in rows.items():
            row |= known.get(clip_id) or dict.fromkeys(names.values())
    kept = [row for row in rows.values() if row["emotion"] is not None and row["split"] is not None]
    media = {row["clip_id"]: row["media_path"] for row in _read(home, "clip_media")}
    firsts = {row["clip_id"]: row["first_frame_path"] for row in _read(home, "benchmark_split")}
    for position, row in enumerate(sorted(kept, key=lambda row: row["clip_id"])):
        source = sources[row["source_id"]]
        row |= {given: source[column] for column, given in RELEASE_FACTS["source_videos"].items()}
        is_held = row["split"] != "unused" and position % withheld_every != 0
        path, first = media[row["clip_id"]], firsts[row["clip_id"]]
        row |= {
            "file_name": layout.clip_file(row["domain"], row["clip_id"], Path(path).suffix) if is_held else None,
            "first_frame_path": f"{layout.FIRST_FRAMES}/{row['clip_id']}.png" if is_held and first else None,
            "license_id": "CC-BY-4.0",
            "permission": "full" if is_held else "metadata",
            "permission_code": "planted",
            "permission_reason": "every fifth clip is withheld",
        }
    return RELEASE_CLIPS.from_rows(kept)


def place(home: Path, rows: pa.Table, folder: Path) -> None:
    """The splits of a release with their media, and its other tables."""
    media = {row["clip_id"]: home / row["media_path"] for row in _read(home, "clip_media")}
    for split in splits_of(rows):
        part = rows.filter(pa.compute.equal(rows["split"], split))
        (folder / split).mkdir(parents=True)
        pq.write_table(part, folder / split / layout.METADATA)
        for row in part.select(["clip_id", "file_name"]).to_pylist():
            if row["file_name"]:
                target = folder / split / row["file_name"]
                target.parent.mkdir(exist_ok=True)
                os.link(media[row["clip_id"]], target)
    with (folder / layout.CLIPS_CSV).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows.column_names)
        writer.writerows(rows.to_pylist()[n].values() for n in range(rows.num_rows))
    (folder / layout.TABLES).mkdir()
    clips = set(rows["clip_id"].to_pylist())
    for name in layout.PUBLISHED_TABLES:
        table = _table(home, name)
        if "clip_id" in table.column_names:
            table = table.filter(pa.array([clip in clips for clip in table["clip_id"].to_pylist()]))
        pq.write_table(table, folder / layout.TABLES / f"{name}.parquet")


def splits_of(rows: pa.Table) -> list[str]:
    return sorted(set(rows["split"].to_pylist()))


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")


def _columns_of(home: Path, name: str) -> dict[str, dict[str, Any]]:
    names = RELEASE_FACTS[name]
    return {
        row["clip_id"]: {given: row[column] for column, given in names.items()} for row in _read(home, name)
    }


def _read(home: Path, name: str) -> list[dict[str, Any]]:
    return _table(home, name).to_pylist()


def _table(home: Path, name: str) -> pa.Table:
    table, warehouse = TABLES[name], Warehouse(Home(home).warehouse)
    domains = ("animation", "movie", "sticker") if table.is_partitioned else (None,)
    parts = [warehouse.read(name, domain) for domain in domains if warehouse.exists(name, domain)]
    return pa.concat_tables(parts) if parts else table.empty()
