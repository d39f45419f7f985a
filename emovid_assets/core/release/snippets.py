"""The lines of Python by which each library reads a release: what people copy, what the command runs, what tests run.

Belongs here: those lines, once. Does not belong here: running them (`resources.release.loading`).

Each reader has lines that are shown, and lines behind them that look at what was read: they leave `seen`, the rows and
media of each split, and `first`, a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Final

RESULT_MARK: Final = "emovid-seen "
"""Begins the line that a script ends with; the rest of it is JSON."""


@dataclass(frozen=True)
class Reader:
    """`packages` are import names; `install` what pip is given. `needs_media`: there is nothing to read in a release
    without. `shown` and `behind` are templates of `code` and `script`."""

    name: str
    gives: str
    packages: tuple[str, ...]
    install: str
    shown: str
    behind: str
    shown_without_media: str | None = None
    needs_media: bool = False
    needs_shards: bool = False
    sees_all_rows: bool = True
    """Whether clips without a file are among what it reads."""


_OWN: Final = """\
import sys

sys.path.insert(0, "{at}")  # where load.py is
"""
_OF_FRAME: Final = """\
seen = {{name: [len(part), int(part["file_name"].notna().sum())] for name, part in clips.groupby("split")}}
first = clips.iloc[0].to_dict()
"""

READERS: Final[Sequence[Reader]] = (
    Reader(
        "datasets",
        "splits of rows with videos, which torchcodec decodes",
        ("datasets",),
        "datasets torchcodec",
        """\
from datasets import Video, load_dataset

data = load_dataset("{at}")
files = data.cast_column("video", Video(decode=False))  # leave this out to have videos decoded
clip = files["{split}"][0]
""",
        """\
seen = {{}}
for name, rows in files.items():
    videos = rows["video"] if "video" in rows.column_names else []
    seen[name] = [len(rows), sum(video is not None for video in videos)]
first = clip
""",
        """\
from datasets import load_dataset

files = load_dataset("{at}")
clip = files["{split}"][0]
""",
    ),
    Reader(
        "streaming",
        "the same row by row, with nothing copied or cached",
        ("datasets",),
        "datasets torchcodec",
        """\
from datasets import Video, load_dataset

data = load_dataset("{at}", streaming=True)
files = {{name: rows.cast_column("video", Video(decode=False)) for name, rows in data.items()}}
clip = next(iter(files["{split}"]))
""",
        """\
seen = {{}}
for name, rows in files.items():
    count = media = 0
    for row in rows:
        count, media = count + 1, media + (row.get("video") is not None)
    seen[name] = [count, media]
first = clip
""",
        """\
from datasets import load_dataset

files = load_dataset("{at}", streaming=True)
clip = next(iter(files["{split}"]))
""",
    ),
    Reader(
        "torch",
        "batches of decoded pictures with label, caption and prompt for a DataLoader",
        ("torch", "av", "pyarrow"),
        "torch av pyarrow",
        _OWN
        + """\
from load import Clips
from torch.utils.data import DataLoader

clips = Clips("{at}", "{split}", frames=16, size=224)
batches = DataLoader(clips, batch_size=8, shuffle=True, num_workers=2)  # in a script: under if __name__ == "__main__"
batch = next(iter(batches))  # video: 8 × 16 × 3 × 224 × 224, uint8
""",
        """\
from load import rows, splits
media = {{name: len(Clips("{at}", name)) for name in splits("{at}")}}
seen = {{name: [len(rows("{at}", name, ["clip_id"])), media[name]] for name in media}}
first = {{"video": tuple(batch["video"].shape), **{{key: value[0] for key, value in batch.items() if key != "video"}}}}
""",
        needs_media=True,
    ),
    Reader(
        "webdataset",
        "samples in a row from tar files: .mp4, .json, .txt (caption), .cls (class index)",
        ("webdataset",),
        "webdataset",
        """\
from glob import glob
import webdataset

shards = sorted(glob("{at}/webdataset/{split}-*.tar"))
samples = webdataset.WebDataset(shards, shardshuffle=False).decode()
sample = next(iter(samples))
""",
        """\
seen = {{}}
for shard in sorted(glob("{at}/webdataset/*.tar")):
    for sample in webdataset.WebDataset([shard], shardshuffle=False).decode():
        counts = seen.setdefault(sample["json"]["split"], [0, 0])
        counts[0], counts[1] = counts[0] + 1, counts[1] + ("mp4" in sample or "webm" in sample)
first = {{"key": sample["__key__"], "txt": sample["txt"], "cls": sample["cls"]}}
""",
        needs_media=True,
        needs_shards=True,
        sees_all_rows=False,
    ),
    Reader(
        "croissant",
        "records by the description of the data, with the meaning and unit of each column",
        ("mlcroissant", "pyarrow"),
        "mlcroissant pyarrow",
        """\
import mlcroissant

data = mlcroissant.Dataset(jsonld="{at}/croissant.json")
clips = list(data.records("clips"))  # also: human_annotations, splits, emotions, videos
""",
        """\
seen = {{}}
for record in clips:
    counts = seen.setdefault(record["clips/split"].decode(), [0, 0])
    counts[0], counts[1] = counts[0] + 1, counts[1] + (record["clips/file_name"] is not None)
first = {{key.removeprefix("clips/"): it.decode() if isinstance(it, bytes) else it for key, it in clips[0].items()}}
""",
    ),
    Reader(
        "duckdb",
        "SQL",
        ("duckdb",),
        "duckdb",
        """\
import duckdb

clips = duckdb.read_parquet("{at}/*/metadata.parquet")
shares = duckdb.sql("select emotion, count(*), avg(brightness_mean) from clips group by emotion")
""",
        """\
counted = duckdb.sql("select split, count(*), count(file_name) from clips group by split").fetchall()
seen = {{split: [rows, media] for split, rows, media in counted}}
first = dict(zip(clips.columns, clips.limit(1).fetchall()[0]))
""",
    ),
    Reader(
        "polars",
        "a data frame",
        ("polars",),
        "polars",
        """\
import polars

clips = polars.read_parquet("{at}/*/metadata.parquet")
shares = clips.group_by("emotion").agg(polars.len(), polars.mean("brightness_mean"))
""",
        """\
seen = {{name: [len(part), part["file_name"].count()] for (name,), part in clips.group_by("split")}}
first = clips.row(0, named=True)
""",
    ),
    Reader(
        "pandas",
        "a data frame",
        ("pandas", "pyarrow"),
        "pandas pyarrow",
        """\
from glob import glob
import pandas

files = sorted(glob("{at}/*/metadata.parquet"))
clips = pandas.concat(map(pandas.read_parquet, files), ignore_index=True)
shares = clips.groupby("emotion")["brightness_mean"].agg(["size", "mean"])
""",
        _OF_FRAME,
    ),
    Reader(
        "pyarrow",
        "an Arrow table, or dictionaries",
        ("pyarrow",),
        "pyarrow",
        _OWN
        + """\
from load import path_of, rows, table

clips = table("{at}")
clip = rows("{at}", "{split}")[0]
file = path_of("{at}", clip)  # None where the release does not hold it
""",
        """\
seen = {{}}
for row in rows("{at}"):
    counts = seen.setdefault(row["split"], [0, 0])
    file = path_of("{at}", row)
    counts[0], counts[1] = counts[0] + 1, counts[1] + (file is not None and file.is_file())
first = clip
""",
    ),
    Reader(
        "fiftyone",
        "a page to look at clips, filter and compare labels",
        ("fiftyone",),
        'fiftyone "graphql-core<3.3"',
        """\
import fiftyone

kind = fiftyone.types.FiftyOneDataset
data = fiftyone.Dataset.from_dir(dataset_dir="{at}/fiftyone", dataset_type=kind)
# fiftyone.launch_app(data).wait()
""",
        """\
from pathlib import Path
seen = {{}}
for sample in data:
    counts = seen.setdefault(sample.tags[0], [0, 0])
    counts[0], counts[1] = counts[0] + 1, counts[1] + Path(sample.filepath).is_file()
first = {{"filepath": data.first().filepath, "emotion": data.first().emotion.label}}
""",
        needs_media=True,
        sees_all_rows=False,
    ),
    Reader(
        "label-studio",
        "tasks with the labels as predictions, to look at them and correct them",
        (),
        "",
        _OWN
        + """\
from load import label_studio_tasks

tasks = label_studio_tasks("{at}")  # for a server with LOCAL_FILES_DOCUMENT_ROOT there
""",
        """\
from pathlib import Path
seen = {{}}
for task in tasks:
    counts = seen.setdefault(task["data"]["split"], [0, 0])
    file = Path("{at}", task["data"]["video"].partition("?d=")[2])
    counts[0], counts[1] = counts[0] + 1, counts[1] + file.is_file()
first = tasks[0]["data"]
""",
        needs_media=True,
        sees_all_rows=False,
    ),
)
READERS_BY_NAME: Final[Mapping[str, Reader]] = {reader.name: reader for reader in READERS}

_REPORT: Final = """\

import json
short = {{name: str(value)[:200] for name, value in first.items()}}
print({mark!r} + json.dumps({{"seen": seen, "first": short}}), flush=True)
"""


def code(reader: Reader, folder: str, split: str, *, has_media: bool = True) -> str:
    """The lines to copy, for a release that lies in `folder` and has this split."""
    lines = reader.shown if has_media or reader.shown_without_media is None else reader.shown_without_media
    return lines.format(at=_escaped(folder), split=split)


def script(reader: Reader, folder: str, split: str, *, has_media: bool = True) -> str:
    """The same, with what looks at all that is read, and a last line with it (`RESULT_MARK`)."""
    behind = reader.behind.format(at=_escaped(folder), split=split)
    lines = code(reader, folder, split, has_media=has_media) + behind + _REPORT.format(mark=RESULT_MARK)
    # Worker processes may import it.
    return 'if __name__ == "__main__":\n' + indent(lines, "    ")


def _escaped(folder: str) -> str:
    return folder.replace("\\", "\\\\").replace('"', '\\"')
