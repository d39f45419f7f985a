"""Releases of a few planted rows, written as plainly as can be: for whoever reads them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.tables.release import RELEASE_CLIPS

RELEASE_JSON: dict[str, Any] = {
    "name": "EmoVid of here",
    "version": "1.0.0",
    "tier": "full",
    "format": 1,
    "created_at": "2026-11-30T01:02:03+00:00",
    "digest": "ab" * 32,
    "previous": None,
    "bump": "first",
    "reasons": [],
    "clip_count": 0,
    "media_count": 0,
    "metadata_only_count": 0,
    "left_out_count": 0,
    "domains": {},
    "splits": {},
    "size_bytes": 0,
    "file_count": 0,
    "software": {},
    "media": {},
}

_PLAIN = {pa.string(): "x", pa.int64(): 1, pa.float64(): 0.5, pa.bool_(): True}


def clip(clip_id: str, **facts: Any) -> dict[str, Any]:
    """A row with something in every column that may not be null."""
    row = {
        column.name: None
        if column.is_nullable
        else column.vocabulary[0]
        if column.vocabulary
        else _PLAIN.get(column.type, [])
        for column in RELEASE_CLIPS.columns
    }
    return {**row, "clip_id": clip_id, "split": "train", **facts}


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    return RELEASE_CLIPS.from_rows(rows)


def plant_release(folder: Path, rows: pa.Table, **said: Any) -> Path:
    """A folder with `release.json`, SHA256SUMS and the rows by split; `said`: other keys of `release.json`."""
    for split in sorted(set(rows["split"].to_pylist())) or ["train"]:
        (folder / split).mkdir(parents=True)
        chosen = [one == split for one in rows["split"].to_pylist()]
        pq.write_table(rows.filter(pa.array(chosen, pa.bool_())), folder / split / "metadata.parquet")
    content = {**RELEASE_JSON, "clip_count": rows.num_rows, **said}
    (folder / "release.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "SHA256SUMS").touch()
    return folder
