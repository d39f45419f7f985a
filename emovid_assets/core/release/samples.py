"""A clip as a sample of WebDataset: its members, and in which shard it lies.

Belongs here: what is in a sample, and that. Does not belong here: tar files (`resources.release.webdataset`).

A shard is decided by a keyed hash of the clip's id alone, so a clip whose label has changed stays where it is and no
other shard is written anew. Within a shard clips lie in the order of that hash, which is as good as shuffled.
"""

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.identity import RANK_COUNT, keyed_rank

SEED: Final = "webdataset"
SHARD_BYTES: Final = 1_000_000_000
"""Of a shard, about: hubs advise a gigabyte."""
_MOST_OF_IT, _LEAST_OF_IT = 1.5, 0.375
"""How far the mean shard may be off that before there are other shards than in the release before."""
FORMAT: Final = 1


def members(row: Mapping[str, Any]) -> dict[str, bytes]:
    """What lies beside the medium, by suffix: `.json` all columns, `.txt` the caption (empty without one), `.cls` the
    position of the emotion among the eight."""
    return {
        ".json": json_of(row),
        ".txt": (row["caption"] or "").encode(),
        ".cls": str(EMOTION_NAMES.index(row["emotion"])).encode(),
    }


def json_of(row: Mapping[str, Any]) -> bytes:
    """A row as JSON: moments as ISO 8601 in UTC, what is no number as null."""
    said = {name: _plain(value) for name, value in row.items()}
    return json.dumps(said, ensure_ascii=False, allow_nan=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def digest_of(clip_id: str, suffix: str, media_sha256: str, content: Mapping[str, bytes]) -> str:
    """Of a sample, before its medium is read: 64 hex digits."""
    digest = hashlib.sha256(f"{FORMAT}\n{clip_id}{suffix}\n{media_sha256}\n".encode())
    for name, data in content.items():
        digest.update(f"{name} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def rank(clip_id: str) -> int:
    return keyed_rank(clip_id, SEED)


def bucket(clip_rank: int, count: int) -> int:
    """The shard of a clip among `count`, a power of two: twice as many shards are these, each in two halves."""
    return clip_rank * count // RANK_COUNT


def shard_count(ranks: Collection[int], size_bytes: int, before: int | None, shard_bytes: int = SHARD_BYTES) -> int:
    """How many shards hold clips of so many bytes together; a power of two.

    As many as in the release before, while these are of about the right size. Fewer where one would be empty: numbers
    of shards have no gaps, as people write them as a range.
    """
    fitting = 1 << max(0, round(math.log2(max(size_bytes, 1) / shard_bytes)))
    if before is not None and _LEAST_OF_IT <= size_bytes / before / shard_bytes <= _MOST_OF_IT:
        fitting = before
    while fitting > 1 and len({bucket(clip_rank, fitting) for clip_rank in ranks}) < fitting:
        fitting //= 2
    return fitting
