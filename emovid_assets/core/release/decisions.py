"""Where people decide otherwise than the gate: the table that they fill in, and which of its rows holds for a clip.

Belongs here: reading and writing `release_decisions.csv`, and choosing among its rows. Does not belong here: where it
lies (`resources.release.decisions`), what holds without a decision (`gate`).

    what,value,permission,decided_by,reason,decided_at
    film_id,sintel,full,Jane Doe,written permission of the studio of 3 May,2026-05-04
    license,CC BY-NC 4.0,metadata,Jane Doe,our funders want no non-commercial parts,

A row that is read wrongly, or not at all, might give away what somebody wanted kept: one fault stops a release.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, get_args

from emovid_assets.core.cells import CellError, word
from emovid_assets.core.cells import plain as plain_word
from emovid_assets.core.filled_tables import Columns, FilledRow, read_bytes
from emovid_assets.core.plain_text import bare, quoted
from emovid_assets.core.release.licence_names import recognised
from emovid_assets.core.release.scan import clean

Extent = Literal["full", "metadata", "nothing"]
EXTENTS: Final[tuple[Extent, ...]] = get_args(Extent)
What = Literal["clip_id", "source_id", "film_id", "origin", "license"]
WHATS: Final[tuple[What, ...]] = get_args(What)
"""What a decision may be about, the most specific first; the last two are equally so."""
_EQUAL: Final[tuple[tuple[What, ...], ...]] = (("clip_id",), ("source_id",), ("film_id",), ("origin", "license"))
HEADER: Final = ("what", "value", "permission", "decided_by", "reason", "decided_at")
_REQUIRED: Final = HEADER[:-1]
_COLUMNS = Columns(
    {"what": ("scope",), "value": (), "permission": ("tier",), "decided_by": (), "reason": (), "decided_at": ("date",)}
)


class DecisionsError(ValueError):
    """The decisions cannot be followed; the message names every fault with its line and says what to do."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True)
class Decision:
    """A row. `decided_at` is an ISO date; null where none is given."""

    line: int
    what: What
    value: str
    permission: Extent
    decided_by: str
    reason: str
    decided_at: str | None = None

    @property
    def told(self) -> str:
        on = f" on {self.decided_at}" if self.decided_at else ""
        return f"{self.decided_by} decided so{on} for {self.what} '{quoted(clean(self.value))}': {self.reason}"


class Decisions:
    """The decisions of a home. `remarks`: sentences about what is not read in the file."""

    def __init__(self, decisions: Iterable[Decision] = (), remarks: Iterable[str] = ()) -> None:
        self.rows, self.remarks = tuple(decisions), tuple(remarks)
        self._by_key = {_key(one.what, one.value): one for one in self.rows}

    def of(self, clip: Mapping[str, Any]) -> Decision | None:
        """The most specific decision for a clip, a row with `WHATS`; null where there is none.

        Raises DecisionsError where two that are equally specific contradict each other.
        """
        if not self.rows:
            return None
        for equals in _EQUAL:
            found = [one for what in equals if (one := self._about(what, clip))]
            if len({one.permission for one in found}) > 1:
                lines = " and ".join(str(one.line) for one in sorted(found, key=lambda one: one.line))
                raise DecisionsError(
                    [
                        f"lines {lines} contradict each other for clip {clip['clip_id']}: "
                        "add a row for its film_id, source_id or clip_id"
                    ]
                )
            if found:
                return found[0]
        return None

    def _about(self, what: What, clip: Mapping[str, Any]) -> Decision | None:
        return next((one for key in _keys_of(what, clip) if (one := self._by_key.get(key))), None)

    def used(self, clips: Iterable[Mapping[str, Any]]) -> tuple[Decision, ...]:
        """Those that speak of one of these clips, in the order of the file."""
        if not self.rows:
            return ()
        keys = {key for clip in clips for what in WHATS for key in _keys_of(what, clip)}
        return tuple(one for one in self.rows if _key(one.what, one.value) in keys)

    def idle(self, clips: Iterable[Mapping[str, Any]]) -> list[str]:
        """A sentence for each that speaks of none of all clips there are: it may be of what is no longer there.

        Raises DecisionsError where one withholds what is written a little otherwise, such as `Sintel` for `sintel`.
        """
        clips = list(clips)
        used = self.used(clips)
        idle = [one for one in self.rows if one not in used]
        withheld = {one.what for one in idle if one.permission != "full"}
        written = {(what, plain_word(str(clip[what]))): clip[what] for clip in clips for what in withheld if clip[what]}
        faults = [
            f"line {one.line}: there is no {one.what} '{quoted(one.value)}', but '{quoted(known)}': write it so"
            for one in idle
            if one.permission != "full" and (known := written.get((one.what, plain_word(one.value))))
        ]
        if faults:
            raise DecisionsError(faults)
        return [f"line {one.line} matches no clip: there is no {one.what} '{quoted(one.value)}'" for one in idle]


def read_decisions(data: bytes) -> Decisions:
    """The decisions in a file. Raises DecisionsError with all faults."""
    table = read_bytes(data, _COLUMNS)
    said = table.unreadable or table.lacking(_REQUIRED)
    if said:
        raise DecisionsError([f"{said}; the columns are {', '.join(HEADER)}"])
    faults: list[str] = []
    found: dict[tuple[str, str], Decision] = {}
    for row in table.rows:
        if row.is_blank:
            continue
        decision, wrong = _read(row)
        faults += [f"line {row.line}: {fault}" for fault in wrong]
        if decision is None:
            continue
        before = found.setdefault(_key(decision.what, decision.value), decision)
        if before.permission != decision.permission:
            faults.append(
                f"line {row.line}: says `{decision.permission}` for {decision.what} '{quoted(decision.value)}', and "
                f"line {before.line} says `{before.permission}`: leave one of them"
            )
    if faults:
        raise DecisionsError(faults)
    return Decisions(found.values(), table.remarks)


def decisions_csv(decisions: Iterable[Decision]) -> str:
    """The decisions as they are published, a header at least."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([getattr(one, name) or "" for name in HEADER] for one in decisions)
    return text.getvalue()


def _read(row: FilledRow) -> tuple[Decision | None, list[str]]:
    values, faults = row.read(HEADER, _READERS)
    if row.is_shifted or row.fault:
        return None, faults
    named = {fault.split("`")[1] for fault in faults}
    for name in _REQUIRED:
        if name not in values and name not in named:
            faults.append(f"`{name}` is empty: {_NEEDED[name]}")
    if faults:
        return None, faults
    what: Any = values["what"]
    permission: Any = values["permission"]
    return (
        Decision(
            row.line,
            what,
            values["value"],
            permission,
            values["decided_by"],
            values["reason"],
            values.get("decided_at"),
        ),
        [],
    )


def _published(written: str) -> str:
    text = bare(written)
    if clean(text) != text:
        raise CellError("text to publish: a release names decisions, so write no address, path or key into them")
    return text


def _day(written: str) -> str:
    try:
        return date.fromisoformat(written[:10]).isoformat()
    except ValueError as error:
        raise CellError("a date, such as 2026-05-04") from error


_READERS = {
    "what": lambda written: word(written, WHATS, {"licence": "license"}),
    "permission": lambda written: word(written, EXTENTS),
    "decided_by": _published,
    "reason": _published,
    "decided_at": _day,
}
_NEEDED = {
    "what": f"write one of {', '.join(WHATS)}",
    "value": "write the id, the origin or the licence that is meant; `unknown` is every licence that is not known",
    "permission": f"write one of {', '.join(EXTENTS)}",
    "decided_by": "write the name of the person who answers for it",
    "reason": "write why, for those who read it in the release",
}


def _key(what: str, value: str) -> tuple[str, str]:
    if what == "license":
        licence = recognised(value)
        return what, licence.id if licence.is_known or plain_word(value) == "unknown" else plain_word(value)
    return what, plain_word(value) if what == "origin" else value


def _keys_of(what: What, clip: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Under which a decision about the clip may stand, the most specific first."""
    value = clip.get(what)
    if what == "license":
        yield _key(what, value or "unknown")
        if value and not recognised(value).is_known:
            yield what, "unknown"
    elif value:
        yield _key(what, str(value))
