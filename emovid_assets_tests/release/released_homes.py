"""A metadata release of all clips of a home, labelled or not, written as plainly as can be: for whoever rebuilds it."""

from pathlib import Path
from typing import Any

from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.release import RELEASE_FACTS
from emovid_assets_tests.release.planted_releases import clip, plant_release, table_of

OF_CLIPS = ("clips", "segments", "scanned_segments", "clip_media", "clip_fingerprints")
README = "---\nlicense: other\n---\n# Of the test\n"


def release_rows(home: Home) -> list[dict[str, Any]]:
    """What a release says of each clip, but for labels; split by the last digit of its source."""
    warehouse = Warehouse(home.warehouse)

    def facts(table: str, key: str) -> dict[str, dict[str, Any]]:
        names = RELEASE_FACTS[table]
        read = rows_of(warehouse.read(table))
        return {row[key]: {given: row[column] for column, given in names.items()} for row in read}

    by_clip = [facts(table, "clip_id") for table in OF_CLIPS]
    by_source = facts("source_videos", "source_id")
    rows = []
    for name in sorted(by_clip[0]):
        known: dict[str, Any] = {}
        for table in by_clip:
            known |= table[name]
        known |= by_source[known["source_id"]]
        split = "benchmark" if int(known["source_id"][-1], 16) % 2 else "train"
        rows.append(clip(name, **{key: value for key, value in known.items() if key != "clip_id"}, split=split))
    return rows


def release_home(home: Home, folder: Path, **said: Any) -> Path:
    """The folder of a release that holds no media."""
    plant_release(folder, table_of(release_rows(home)), tier="metadata", **said)
    (folder / "README.md").write_text(README, encoding="utf-8")
    return folder
