"""What a release holds: its rows with what may be given away of each, the files of clips, the tables beside them.

Belongs here: putting the gate's answers, pseudonyms and cleaned texts into the rows. Does not belong here: the rules
(`core.release`), writing anything (`making`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.core.release.decisions import WHATS, Decision, Decisions
from emovid_assets.core.release.gate import Permission, permission_of
from emovid_assets.core.release.layout import FIRST_FRAMES, PUBLISHED_TABLES, Tier, clip_file
from emovid_assets.core.release.scan import clean
from emovid_assets.home.folders import Home
from emovid_assets.resources.release.rows import FIRST_FRAME_PATH, MEDIA_PATH
from emovid_assets.tables.columns import each_row, rows_of
from emovid_assets.tables.registry import TABLES
from emovid_assets.tables.release import RELEASE_CLIPS
from emovid_assets.tables.rules import value_fault

CLEANED = (
    *("external_id", "title", "film_id", "region", "character", "origin", "origin_url", "attribution", "license"),
    *("terms_url", "caption", "prompt"),
)
"""Columns that people or origins have written."""
PEOPLE_COLUMNS: Mapping[str, str] = {"human_annotations": "annotator_id", "validation_ratings": "rater_id"}


class HiddenPicturesError(Exception):
    """Clip files hide pictures, which many programs show; the message says what to do."""


class FaultyRowsError(Exception):
    """The tables say of clips what a release cannot; the message says what, and what to do."""


@dataclass(frozen=True)
class HomeFile:
    """A file that is linked into a release."""

    path: str
    source: Path
    sha256: str


@dataclass(frozen=True)
class Content:
    """`rows`: of `RELEASE_CLIPS`, sorted by clip id. `media`: of clips. `first_frames`: (path, file of the home); their
    sums stand in no table. `left_out`: clips that are no rows, by (domain, reason). `decisions`: those that are about
    clips of this home."""

    tier: Tier
    rows: pa.Table
    media: Sequence[HomeFile]
    first_frames: Sequence[tuple[str, Path]]
    tables: Mapping[str, pa.Table]
    left_out: Mapping[tuple[str, str], int]
    decisions: Sequence[Decision]
    is_non_commercial: bool


def content_of(
    home: Home,
    tier: Tier,
    found: pa.Table,
    tables: Mapping[str, pa.Table],
    decisions: Decisions,
    name_of: Callable[[str], str],
) -> Content:
    """`found`: of `released_rows`. `tables`: of `PUBLISHED_TABLES`, of all clips. `name_of`: what a person is called in
    releases. Raises HiddenPicturesError, FaultyRowsError, DecisionsError."""
    chosen = _Chosen(home, tier, decisions)
    rows = RELEASE_CLIPS.from_rows(chosen.rows(found))
    if fault := value_fault(RELEASE_CLIPS, rows, None):
        raise FaultyRowsError(f"nothing was released, for the tables say what cannot be ({fault}): emovid build --all")
    if chosen.hidden:
        raise HiddenPicturesError(
            f"{len(chosen.hidden):,} clip files hide pictures that other programs show, such as {chosen.hidden[0]}: "
            'set media.clip_files = "exact" in emovid.toml and run emovid build, or release --tier metadata'
        )
    return Content(
        tier=tier,
        rows=rows,
        media=chosen.media,
        first_frames=chosen.frames,
        tables={name: _published(name, tables[name], rows, name_of) for name in PUBLISHED_TABLES},
        left_out=chosen.left_out,
        decisions=decisions.used(rows_of(found, WHATS)),
        is_non_commercial=chosen.is_non_commercial,
    )


class _Chosen:
    """The gate's answers, clip by clip: a release of a large library is not held as Python objects."""

    def __init__(self, home: Home, tier: Tier, decisions: Decisions) -> None:
        self._home, self._tier, self._decisions = home, tier, decisions
        self.media: list[HomeFile] = []
        self.frames: list[tuple[str, Path]] = []
        self.left_out: Counter[tuple[str, str]] = Counter()
        self.hidden: list[str] = []
        self.is_non_commercial = False

    def rows(self, found: pa.Table) -> Iterator[dict[str, Any]]:
        for clip in each_row(found):
            permission = permission_of(clip, self._decisions)
            if permission.tier == "nothing":
                self.left_out[clip["domain"], permission.reason] += 1
                continue
            self.is_non_commercial = self.is_non_commercial or permission.is_non_commercial
            row = _row(clip, permission)
            if self._tier == "full" and permission.tier == "full" and clip[MEDIA_PATH]:
                self._give(row, clip)
            yield row

    def _give(self, row: dict[str, Any], clip: Mapping[str, Any]) -> None:
        """Files of the clip go with it."""
        clip_id, media_path, frame_path = clip["clip_id"], clip[MEDIA_PATH], clip[FIRST_FRAME_PATH]
        if clip["hidden_frame_count"]:
            self.hidden.append(clip_id)
        row["file_name"] = clip_file(clip["domain"], clip_id, PurePosixPath(media_path).suffix)
        path = f"{clip['split']}/{row['file_name']}"
        self.media.append(HomeFile(path, self._home.root / media_path, clip["media_sha256"]))
        if frame_path:
            row["first_frame_path"] = f"{FIRST_FRAMES}/{clip_id}.png"
            self.frames.append((row["first_frame_path"], self._home.root / frame_path))


def _row(clip: Mapping[str, Any], permission: Permission) -> dict[str, Any]:
    row = {name: clip[name] for name in RELEASE_CLIPS.column_names if name in clip}
    for name in CLEANED:
        if row[name]:
            row[name] = clean(row[name])
    return row | {
        "file_name": None,
        "first_frame_path": None,
        "license_id": permission.license_id,
        "permission": permission.tier,
        "permission_code": permission.code,
        "permission_reason": permission.reason,
    }


def _published(name: str, table: pa.Table, released: pa.Table, name_of: Callable[[str], str]) -> pa.Table:
    """The rows about clips of the release, with pseudonyms for people."""
    if "clip_id" in table.column_names:
        table = table.filter(pc.is_in(table["clip_id"], value_set=released["clip_id"].combine_chunks()))
    table = TABLES[name].taken_from(table)
    column = PEOPLE_COLUMNS.get(name)
    if column is None:
        return table
    kinds = table["rater_kind"].to_pylist() if "rater_kind" in table.column_names else ["human"] * table.num_rows
    names = [
        name_of(written) if kind == "human" else written
        for written, kind in zip(table[column].to_pylist(), kinds, strict=True)
    ]
    index = table.column_names.index(column)
    return table.set_column(index, table.schema.field(index), pa.array(names, pa.string())).sort_by(
        [(key, "ascending") for key in TABLES[name].key]
    )
