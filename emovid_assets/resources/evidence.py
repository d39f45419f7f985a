"""What models are given of the clips, put together from tables.

Belongs here: the joins. Does not belong here: what a model makes of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from emovid_assets.core.clip_content import OF_FRAMES
from emovid_assets.core.colour import mean_colour
from emovid_assets.core.labelling import ClipEvidence
from emovid_assets.tables.columns import each_row, rows_together

_OF_CLIP = ("clip_id", "source_id", "start_s", "end_s", "duration_s", "frame_count")
_OF_FILE = ("clip_id", "media_path", *OF_FRAMES)
_MOTION = ("sampled_pts_s", "sampled_changes")


@dataclass(frozen=True)
class ClipTables:
    """What models may look at: tables of one domain, or of all."""

    source_videos: pa.Table
    clips: pa.Table
    clip_media: pa.Table
    clip_features: pa.Table
    colour_attributes: pa.Table

    @property
    def evidence(self) -> Iterator[ClipEvidence]:
        """Of each clip that was measured, read anew with each use."""
        return evidence_of(self.clip_features, self.colour_attributes)

    def clip_rows(self) -> Iterator[dict[str, Any]]:
        """Place, file and motion of each clip that has a file and was measured."""
        tables = (
            self.clips.select(_OF_CLIP),
            self.clip_features.select(("clip_id", *_MOTION)),
            self.colour_attributes.select(("clip_id",)),
        )
        for file, place, motion, _ in rows_together(self.clip_media.select(_OF_FILE), *tables):
            yield {**file, **place, **motion}

    def linked_rows(self) -> Iterator[dict[str, Any]]:
        """What `core.clip_groups.group_rows` asks of each clip that was measured."""
        return linked_rows(self.source_videos, self.clip_media, self.clip_features, self.colour_attributes)

    def source_rows(self) -> Iterator[dict[str, Any]]:
        yield from each_row(self.source_videos, ("source_id", "path", "title"))


def evidence_of(features: pa.Table, colours: pa.Table) -> Iterator[ClipEvidence]:
    """Evidence of the clips that both tables know, in the order of the features."""
    return (
        ClipEvidence(row["clip_id"], row["domain"], row["duration_s"], row, colour)
        for row, colour in rows_together(features, colours)
    )


def linked_rows(
    source_videos: pa.Table, clip_media: pa.Table, clip_features: pa.Table, colour_attributes: pa.Table
) -> Iterator[dict[str, Any]]:
    """What `core.clip_groups.group_rows` asks of each clip that was measured."""
    sources = {row["source_id"]: row for row in each_row(source_videos, ("source_id", "film_id", "sha256"))}
    files = dict(zip(clip_media["clip_id"].to_pylist(), clip_media["sha256"].to_pylist(), strict=True))
    colours = {row["clip_id"]: mean_colour(row) for row in each_row(colour_attributes)}
    for row in each_row(clip_features, ("clip_id", "source_id", "domain", "frame_hashes")):
        source = sources.get(row["source_id"], {})
        yield {
            **row,
            "film_id": source.get("film_id"),
            "source_sha256": source.get("sha256"),
            "clip_sha256": files.get(row["clip_id"]),
            "mean_colour": colours.get(row["clip_id"]),
        }
