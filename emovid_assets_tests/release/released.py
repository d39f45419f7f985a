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
    with duckdb.connect(str(home / CATALOGUE_NAME), read_only=True) as connection:
        rows = released_rows(connection).to_pylist()
    kept = []
    for position, row in enumerate(rows):
        is_held = row["split"] != "unused" and position % withheld_every != 0
        path, first = row.pop(MEDIA_PATH), row.pop(FIRST_FRAME_PATH)
        row |= {
            "file_name": layout.clip_file(row["domain"], row["clip_id"], Path(path).suffix) if is_held else None,
            "first_frame_path": f"{layout.FIRST_FRAMES}/{row['clip_id']}.png" if is_held and first else None,
            "license_id": "CC-BY-4.0",
            "permission": "full" if is_held else "metadata",
            "permission_code": "planted",
            "permission_reason": "some clips are withheld",
        }
        kept.append(row)
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
    return {row["clip_id"]: {given: row[column] for column, given in names.items()} for row in _read(home, name)}


def _read(home: Path, name: str) -> list[dict[str, Any]]:
    return _table(home, name).to_pylist()


def _table(home: Path, name: str) -> pa.Table:
    table, warehouse = TABLES[name], Warehouse(Home(home).warehouse)
    domains = ("animation", "movie", "sticker") if table.is_partitioned else (None,)
    parts = [warehouse.read(name, domain) for domain in domains if warehouse.exists(name, domain)]
    return pa.concat_tables(parts) if parts else table.empty()
