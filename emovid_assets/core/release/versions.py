"""Which version a release gets: a rule, since people would say what they hope has changed (ADR 45).

Belongs here: that rule. Does not belong here: finding what has changed (`changes`).

    major   data that were there are others or gone: a value, a clip, a medium, a column, its type
    minor   there are more: clips, media, columns, values where there were none
    patch   the same data are written otherwise: format, credits, why something is permitted
    none    nothing differs, and there is no new release
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from emovid_assets.core.release.changes import OF_GATE, OF_MEDIA, PERMISSION, Difference
from emovid_assets.core.release.names import Version, version_of

Kind = Literal["first", "major", "minor", "patch", "none"]
FIRST: Final = Version(1, 0, 0)
CREDITS: Final = ("attribution", "terms_url", "origin_url")
"""Columns whose texts are credits: who reads them does not compute with them."""


@dataclass(frozen=True)
class Bump:
    """`version`: of the new release; of the former one where the kind is `none`. `reasons`: what made it this kind,
    and what else there is, the gravest first."""

    version: str
    kind: Kind
    reasons: tuple[str, ...]


def next_version(
    previous: str | None,
    difference: Difference | None,
    written_otherwise: Sequence[str] = (),
    *,
    others: Sequence[str] = (),
    more: Sequence[str] = (),
) -> Bump:
    """The version after `previous`; without one it is the first.

    Sentences about what the rows do not show: `others` of data that are others or gone, `more` of what there is more,
    `written_otherwise` such as another format of the files.
    Raises ValueError where `previous` is no version, or nothing is known of what has changed since.
    """
    if previous is None:
        return Bump(str(FIRST), "first", ())
    if difference is None:
        raise ValueError(f"what has changed since {previous} must be known to say which version comes next")
    last = version_of(previous)
    major, minor = [*_gone_or_other(difference), *others], [*_more(difference), *more]
    patch = [*_written_otherwise(difference), *written_otherwise]
    reasons = (*major, *minor, *patch)
    if major:
        return Bump(str(Version(last.major + 1, 0, 0)), "major", reasons)
    if minor:
        return Bump(str(Version(last.major, last.minor + 1, 0)), "minor", reasons)
    if patch:
        return Bump(str(last._replace(patch=last.patch + 1)), "patch", reasons)
    return Bump(previous, "none", ())


def _gone_or_other(difference: Difference) -> Iterator[str]:
    if difference.total.removed:
        yield f"{_clips(difference.total.removed)} gone"
    yield from (f"column {name} is gone" for name in difference.columns_removed)
    yield from (f"column {name} is of another type" for name in difference.columns_retyped)
    if difference.media_withdrawn:
        yield f"media of {_clips(difference.media_withdrawn)} withdrawn"
    if difference.frames_withdrawn:
        yield f"first frames of {_clips(difference.frames_withdrawn)} withdrawn"
    for name in _data(difference.columns):
        counts = difference.columns[name]
        if counts.altered:
            yield f"{name}: {_clips(counts.altered)} of another value"
        if counts.emptied:
            yield f"{name}: {_clips(counts.emptied)} without a value now"


def _more(difference: Difference) -> Iterator[str]:
    if difference.total.added:
        yield f"{_clips(difference.total.added)} added"
    yield from (f"column {name} is new" for name in difference.columns_added)
    if difference.media_given:
        yield f"media of {_clips(difference.media_given)} added"
    if difference.frames_given:
        yield f"first frames of {_clips(difference.frames_given)} added"
    for name in _data(difference.columns):
        if filled := difference.columns[name].filled:
            yield f"{name}: {_clips(filled)} with a value where there was none"


def _written_otherwise(difference: Difference) -> Iterator[str]:
    for name, counts in difference.columns.items():
        # That a file came or went is told as such.
        count = counts.altered if name in OF_MEDIA else counts.total
        if name in (*OF_GATE, *CREDITS) and name != PERMISSION and count:
            yield f"{name}: {_clips(count)} written otherwise"


def _data(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if name not in (*OF_GATE, *CREDITS))


def _clips(count: int) -> str:
    return f"{count:,} clip{'' if count == 1 else 's'}"
