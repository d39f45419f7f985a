"""Reads whole releases with several libraries and prints what they have seen. Run in the readers' own environment,
which knows nothing of this project.

    python read_everywhere.py RELEASE:READER …

Prints a line of JSON for each: by clip id the digest of its row and the SHA-256 of its medium.
"""

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from glob import glob
from pathlib import Path
from typing import Any

Seen = Iterator[tuple[Mapping[str, Any], bytes | None]]


def digest(row: Mapping[str, Any]) -> str:
    """Equal where all values are, whatever types a library gives them."""
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=_plain, allow_nan=False).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.tolist() if hasattr(value, "tolist") else list(value)


def medium(folder: str, row: Mapping[str, Any]) -> bytes | None:
    return Path(folder, row["split"], row["file_name"]).read_bytes() if row["file_name"] else None


def datasets_map(folder: str, *, is_streaming: bool = False) -> Seen:
    from datasets import Video, load_dataset

    for split, rows in load_dataset(folder, streaming=is_streaming).items():
        has_videos = "video" in rows.features
        for row in rows.cast_column("video", Video(decode=False)) if has_videos else rows:
            assert row["split"] == split
            video = row.pop("video", None)
            row.pop("file_name", None)
            yield row, video and (video.get("bytes") or Path(video["path"]).read_bytes())


def datasets_streaming(folder: str) -> Seen:
    return datasets_map(folder, is_streaming=True)


def datasets_decoded(folder: str) -> Seen:
    """Of each split the first clip that has a video, decoded: by how many frames it has."""
    from datasets import load_dataset

    for rows in load_dataset(folder).values():
        for row in rows:
            if row["video"] is not None:
                yield {"clip_id": row["clip_id"], "frame_count": len(row["video"])}, None
                break


def croissant(folder: str) -> Seen:
    import mlcroissant

    data = mlcroissant.Dataset(jsonld=f"{folder}/croissant.json")
    assert not data.metadata.issues.errors, data.metadata.issues.report()
    assert not data.metadata.issues.warnings, data.metadata.issues.report()
    names = [record_set.id for record_set in data.metadata.record_sets]
    videos = {}
    if "videos" in names:
        videos = {row["videos/path"].decode(): row["videos/content"] for row in data.records("videos")}
    for record in data.records("clips"):
        row = _own(record)
        yield row, videos.pop(f"{row['split']}/{row['file_name']}") if row["file_name"] else None
    assert not videos


def croissant_sets(folder: str) -> Seen:
    """All other record sets, each as if it were a clip."""
    import mlcroissant

    data = mlcroissant.Dataset(jsonld=f"{folder}/croissant.json")
    for record_set in data.metadata.record_sets:
        if record_set.id not in ("clips", "videos"):
            for number, record in enumerate(data.records(record_set.id)):
                yield {"clip_id": f"{record_set.id} {number}", "record": _own(record)}, None


def _own(record: Mapping[str, Any]) -> dict[str, Any]:
    def decoded(value: Any) -> Any:
        if isinstance(value, list):
            return [decoded(item) for item in value]
        return value.decode() if isinstance(value, bytes) else value

    return {name.partition("/")[2]: decoded(value) for name, value in record.items()}


def webdataset(folder: str) -> Seen:
    import webdataset as wds

    emotions = ["amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness"]
    for sample in wds.WebDataset(sorted(glob(f"{folder}/webdataset/*.tar")), shardshuffle=False).decode():
        row = sample["json"]
        assert (sample["__key__"], sample["txt"]) == (row["clip_id"], row["caption"] or "")
        assert emotions[sample["cls"]] == row["emotion"]
        yield row, sample["webm" if "webm" in sample else "mp4"]


def duckdb(folder: str) -> Seen:
    import duckdb

    clips = duckdb.read_parquet(f"{folder}/*/metadata.parquet")
    for values in clips.fetchall():
        row = dict(zip(clips.columns, values, strict=True))
        yield row, medium(folder, row)


def polars(folder: str) -> Seen:
    import polars

    for row in polars.read_parquet(f"{folder}/*/metadata.parquet").iter_rows(named=True):
        yield row, medium(folder, row)


def pandas(folder: str) -> Seen:
    import pandas as pd

    for path in glob(f"{folder}/*/metadata.parquet"):
        for row in pd.read_parquet(path, dtype_backend="pyarrow").to_dict("records"):
            plain = {name: None if value is pd.NA else value for name, value in row.items()}
            yield plain, medium(folder, plain)


def csv(folder: str) -> Seen:
    import duckdb

    for row in duckdb.read_csv(f"{folder}/clips.csv").to_arrow_table().to_pylist():
        yield {"clip_id": row["clip_id"], "start_s": row["start_s"], "caption": row["caption"]}, medium(folder, row)


def own(folder: str) -> Seen:
    sys.path.insert(0, folder)
    from load import path_of, rows

    for row in rows(folder):
        path = path_of(folder, row)
        yield row, path and path.read_bytes()


READERS: dict[str, Callable[[str], Seen]] = {
    name: function
    for name, function in globals().items()
    if name.startswith(("datasets_", "croissant")) or name in ("webdataset", "duckdb", "polars", "pandas", "csv", "own")
}


def main(asked: list[str]) -> None:
    with tempfile.TemporaryDirectory() as cache:
        os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": cache}
        for one in asked:
            folder, _, name = one.rpartition(":")
            seen: dict[str, list[str | None]] = {}
            for row, data in READERS[name](folder):
                assert row["clip_id"] not in seen, f"{name}: {row['clip_id']} twice"
                seen[row["clip_id"]] = [digest(row), hashlib.sha256(data).hexdigest() if data is not None else None]
            sys.stdout.write(f"\n{json.dumps([one, seen])}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
