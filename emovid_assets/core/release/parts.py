"""What a release has in each of its splits.

Belongs here: counting rows and media. Does not belong here: which clip is in which split (`core.splits`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from emovid_assets.core.release.card import SPLIT_MEANINGS


@dataclass(frozen=True)
class Split:
    """`clip_count` rows, of which `media_count` have a file; `files`: of each of their suffixes one
    `file_name`.
    """

    name: str
    clip_count: int
    media_count: int = 0
    files: Mapping[str, str] = field(default_factory=dict)


def splits_of(rows: Iterable[tuple[str, str | None]]) -> tuple[Split, ...]:
    """Those that have rows, in the order of the data card, of the `split` and `file_name` of each row."""
    names: dict[str, list[str | None]] = {}
    for split, file_name in rows:
        names.setdefault(split, []).append(file_name)
    order = [*SPLIT_MEANINGS, *sorted(names)]
    return tuple(_split(name, names[name]) for name in sorted(names, key=order.index))


def _split(name: str, file_names: list[str | None]) -> Split:
    held = [file_name for file_name in file_names if file_name]
    # The first of each suffix, in the order of rows.
    files = {PurePosixPath(file_name).suffix: file_name for file_name in reversed(held)}
    return Split(name, len(file_names), len(held), dict(sorted(files.items())))
