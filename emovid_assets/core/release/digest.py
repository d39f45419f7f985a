"""The digest of the data of a release: equal for equal rows, whatever wrote them, and computed anew by whoever doubts.

Belongs here: what is hashed. Does not belong here: the sums of files, which depend on how rows were written.

A line of JSON a row, sorted by clip id, its keys sorted, without blanks, of the columns that say what a clip is
(all but `tables.release.OF_GATE`); nulls stand as `null`, numbers as Python writes them; SHA-256 over all lines, each
with a newline.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any


def data_digest(rows: Iterable[Mapping[str, Any]], without: Iterable[str]) -> str:
    """64 hex digits. `rows` are sorted by clip id; `without`: columns that do not count."""
    left_out = frozenset(without)
    digest = hashlib.sha256()
    for row in rows:
        said = {name: value for name, value in row.items() if name not in left_out}
        digest.update(json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False).encode())
        digest.update(b"\n")
    return digest.hexdigest()
