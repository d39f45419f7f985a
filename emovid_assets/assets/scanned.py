"""What the media pass hands on: rows of `scanned_segments`, in and out.

Belongs here: which part of a payload stands in which column, and the rows of those segments that are clips. Does not
belong here: the pass itself (`resources.media`), and what is made of its rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from emovid_assets.tables.columns import each_row
from emovid_assets.tables.measurements import COLOUR_SUMS, PICTURE_FEATURES, SOUND_AND_FRAME_FEATURES
from emovid_assets.tables.sources import SEGMENT_COLUMNS

SUMS = tuple(column.name for column in COLOUR_SUMS)
FEATURES = tuple(column.name for column in (*PICTURE_FEATURES, *SOUND_AND_FRAME_FEATURES))
_OF_SEGMENT = tuple(column.name for column in SEGMENT_COLUMNS if column.name not in ("source_id", "domain"))


def scanned_rows(domain: str, payloads: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    """A row per segment of the sources (source id, payload of its scan); a dropped segment was not measured."""
    for identifier, payload in payloads:
        for segment in payload["segments"]:
            features = segment.get("features", {})
            yield {
                "source_id": identifier,
                "domain": domain,
                **{name: segment[name] for name in (*_OF_SEGMENT, "start_pts", "end_pts", "has_mended_stamps")},
                **{name: segment.get(name) for name in ("has_audio", "sound_missing_s")},
                "video_start_s": payload["video_start_s"],
                "thumbnail_path": segment.get("thumbnail_path"),
                **dict(zip(SUMS, segment.get("colour", (None,) * len(SUMS)), strict=True)),
                **{name: features.get(name) for name in FEATURES},
            }


def rows_of_clips(scanned: pa.Table, clips: pa.Table, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """These columns of the scanned segments that are clips; `clip_id` must be among them."""
    wanted = set(clips["clip_id"].to_pylist())
    return (segment for segment in each_row(scanned, columns) if segment["clip_id"] in wanted)
