"""Releases of a built home, with everything by which they are read elsewhere.

Belongs here: rows as a release has them, and its folder, made by the writers of each format alone. Does not belong
here: who decides what a release may hold, and what readers should find.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.release import card_yaml, croissant, fiftyone, label_studio, layout
from emovid_assets.core.release.card_yaml import CardFacts
from emovid_assets.core.release.croissant import CroissantFacts
from emovid_assets.core.release.croissant_rai import statements
from emovid_assets.core.release.parts import Split, splits_of
from emovid_assets.home.folders import CATALOGUE_NAME
from emovid_assets.resources.release import load
from emovid_assets.resources.release.files import ReleaseFiles
from emovid_assets.resources.release.rows import FIRST_FRAME_PATH, MEDIA_PATH, published, released_rows
from emovid_assets.resources.release.tabular import write_csv, write_parquet
from emovid_assets.resources.release.webdataset import write_shards
from emovid_assets.tables.registry import TABLES
from emovid_assets.tables.release import RELEASE_CLIPS
from emovid_assets_tests.release.planted_releases import RELEASE_JSON

WITHHELD_EVERY = 5
"""Of the clips, counted in order: of one in so many a release has the row only."""
WEBM_EVERY = 7
"""Of the clips, one in so many is called WebM, and all of the benchmark are: their bytes stay those of an MP4."""
SHARD_BYTES = 1_000_000
"""So that the small demo has several shards."""


def rows_of(home: Path, *, has_media: bool = True) -> pa.Table:
    """A row a clip of all splits, in the order of clips; all of the last split are without a file."""
    with _catalogue(home) as connection:
        rows = released_rows(connection).to_pylist()
    last = max(row["split"] for row in rows)
    for position, row in enumerate(rows):
        is_held = has_media and row["split"] != last and position % WITHHELD_EVERY != 0
        path, first = row.pop(MEDIA_PATH), row.pop(FIRST_FRAME_PATH)
        is_webm = row["split"] == "benchmark" or position % WEBM_EVERY == 0
        suffix = ".webm" if is_webm else Path(path).suffix
        row |= {
            "file_name": layout.clip_file(row["domain"], row["clip_id"], suffix) if is_held else None,
            "first_frame_path": f"{layout.FIRST_FRAMES}/{row['clip_id']}.png" if is_held and first else None,
            "license_id": "CC-BY-4.0",
            "permission": "full" if is_held else "metadata",
            "permission_code": "planted",
            "permission_reason": "some clips are withheld",
        }
    return RELEASE_CLIPS.from_rows(rows)


def make(home: Path, folder: Path, *, has_media: bool = True) -> pa.Table:
    """The folder of a release; returns its rows."""
    rows = rows_of(home, has_media=has_media)
    files = ReleaseFiles(folder)
    _place_rows(home, rows, files)
    splits = splits_in(rows)
    for path, content in {
        fiftyone.METADATA: fiftyone.metadata_document("EmoVid of here 1.0.0", RELEASE_CLIPS, {"version": "1.0.0"}),
        fiftyone.SAMPLES: b"".join(fiftyone.samples_document(rows.to_pylist(), RELEASE_CLIPS)),
        layout.LABEL_STUDIO_TASKS: b"".join(label_studio.tasks_document(rows.to_pylist(), "1.0.0")),
        label_studio.SCREEN: label_studio.screen(),
        layout.LOADER: Path(load.__file__).read_bytes(),
        layout.README: card_yaml.front_matter(card_facts(splits)).encode() + b"# EmoVid of here\n",
        layout.CROISSANT: croissant.as_json(croissant.croissant(croissant_facts(splits, files.sums))),
        layout.RELEASE: _release_json(rows),
        layout.SHA256SUMS: b"",
    }.items():
        files.put(path, content)
    write_shards(files, rows, shard_bytes=SHARD_BYTES)
    return rows


def splits_in(rows: pa.Table) -> tuple[Split, ...]:
    return splits_of((row["split"], row["file_name"]) for row in rows.select(["split", "file_name"]).to_pylist())


def card_facts(splits: Sequence[Split]) -> CardFacts:
    return CardFacts("EmoVid of here", splits, ["cc-by-4.0", "other"], "as-each-clip-says")


def croissant_facts(splits: Sequence[Split], sums: dict[str, str]) -> CroissantFacts:
    return CroissantFacts(
        name="EmoVid-of-here",
        description="Clips with emotions.",
        version="1.0.0",
        digest="ab" * 32,
        published="2026-11-30",
        licences=["https://creativecommons.org/licenses/by/4.0/"],
        cite_as="EmoVid of here, version 1.0.0.",
        creators=["The maintainers of EmoVid of here"],
        splits=splits,
        clips=RELEASE_CLIPS,
        files={path: sha256 for path, sha256 in sums.items() if path.endswith((".parquet", ".csv"))},
        rai=statements(machine_tools=["embedded/labeller"], annotators_per_clip="three people", languages="English"),
        annotations=TABLES["human_annotations"],
    )


def _place_rows(home: Path, rows: pa.Table, files: ReleaseFiles) -> None:
    with _catalogue(home) as connection:
        media = dict(connection.sql("select clip_id, media_path from clip_media").fetchall())
        for name in layout.PUBLISHED_TABLES:
            table = published(connection, name)
            files.put_made(f"{layout.TABLES}/{name}.parquet", lambda path, table=table: write_parquet(table, path))
    for split in sorted(set(rows["split"].to_pylist())):
        part = rows.filter(pc.equal(rows["split"], split))
        files.put_made(f"{split}/{layout.METADATA}", lambda path, part=part: write_parquet(part, path))
    files.put_made(layout.CLIPS_CSV, lambda path: write_csv(rows, path))
    for row in rows.select(["clip_id", "split", "file_name"]).to_pylist():
        if row["file_name"]:
            target = files.folder / row["split"] / row["file_name"]
            target.parent.mkdir(exist_ok=True)
            os.link(home / media[row["clip_id"]], target)
            files.take(target.relative_to(files.folder).as_posix(), file_sha256(target))


def _release_json(rows: pa.Table) -> bytes:
    count, without = rows.num_rows, rows["file_name"].null_count
    said = {**RELEASE_JSON, "clip_count": count, "media_count": count - without, "metadata_only_count": without}
    return json.dumps(said).encode()


def _catalogue(home: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(home / CATALOGUE_NAME), read_only=True)
