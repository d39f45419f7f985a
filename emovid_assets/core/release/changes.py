"""What one table of clips says otherwise than another, clip by clip and column by column.

Belongs here: comparing, and counting what was found. Does not belong here: which version follows from that
(`versions`), where the tables come from (`resources.release.reading`); the same in SQL are `changes_since` and
`release_diff` of `sql/functions`.

Values are equal or they are not: there is no tolerance, since a number that was published is what somebody has
computed with. NaN is equal to NaN, null to null, -0.0 to 0.0, lists are equal value by value.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from emovid_assets.core.domains import DOMAINS

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
CHANGES: Final = pa.schema([(name, pa.string()) for name in ("clip_id", "change", "column_name", "before", "after")])
"""`before` and `after`: as DuckDB writes the values; `column_name` is null unless the clip is in both tables."""
OF_MEDIA: Final = ("file_name", "first_frame_path")
"""Null where the file is not there."""
PERMISSION, PERMITTED = "permission", "full"
"""The column that says what may be given away, and its value where media may, whether this tier holds them or not."""
OF_GATE: Final = (*OF_MEDIA, PERMISSION, "permission_code", "permission_reason", "license_id")
"""Columns that say what is given away rather than what the clip is."""


@dataclass(frozen=True)
class Counts:
    """Of clips; of those that are in both, `changed` have another value in some column."""

    before: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    after: int = 0


@dataclass(frozen=True)
class ColumnCounts:
    """Of clips that are in both: with another value, with one where there was none, with none where there was one."""

    altered: int = 0
    filled: int = 0
    emptied: int = 0

    @property
    def total(self) -> int:
        return self.altered + self.filled + self.emptied


@dataclass(frozen=True)
class Difference:
    """`columns`: those with changes, in their order, without those that only one of the tables has. `emotions`: how
    many clips went from which label to which."""

    changes: pa.Table
    domains: Mapping[str, Counts]
    columns: Mapping[str, ColumnCounts]
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns_retyped: tuple[str, ...]
    media_given: int
    media_withdrawn: int
    frames_given: int
    frames_withdrawn: int
    emotions: Mapping[tuple[str, str], int]

    @property
    def total(self) -> Counts:
        rows = self.domains.values()
        names = ("before", "added", "removed", "changed", "after")
        return Counts(**{name: sum(getattr(one, name) for one in rows) for name in names})

    @property
    def is_none(self) -> bool:
        return not (self.changes.num_rows or self.columns_added or self.columns_removed or self.columns_retyped)


def changes(before: pa.Table, after: pa.Table) -> pa.Table:
    """Rows of `CHANGES` by clip id and then in the order of the columns, those that are gone last.

    A column that only one of the tables has is null in the other. Where its type is another one, texts are compared.
    Raises ValueError where a clip id is missing or there twice.
    """
    import duckdb

    for rows in (before, after):
        if rows["clip_id"].null_count or pc.count_distinct(rows["clip_id"]).as_py() != rows.num_rows:
            raise ValueError("a clip has no id, or two rows have the same one: rows cannot be told apart")
    # With the ids, which are alike: there is always a column to compare.
    names = list(dict.fromkeys((*after.column_names, *before.column_names)))
    # Names of columns are anybody's; a number is not.
    compared = ", ".join(f"{_compared(before, after, name)} as column_{number}" for number, name in enumerate(names))
    columns = ", ".join(f"column_{number}" for number in range(len(names)))
    query = f"""
        with compared as (
            select
                coalesce(a.clip_id, b.clip_id) as clip_id,
                b.clip_id is not null as is_before,
                a.clip_id is not null as is_after,
                {compared}
            from rows_before as b
            full join rows_after as a on b.clip_id = a.clip_id
        )
        select
            clip_id::varchar as clip_id,
            case when not is_before then '{ADDED}' when not is_after then '{REMOVED}' else '{CHANGED}' end as change,
            case when is_before and is_after then ($names::varchar[])[number + 1] end as column_name,
            before::varchar as before,
            after::varchar as after
        from (
            select
                clip_id,
                is_before,
                is_after,
                name.replace('column_', '')::integer as number,
                found.before as before,
                found.after as after
            from compared unpivot (found for name in ({columns}))
            where is_before and is_after
            union all
            select clip_id, is_before, is_after, 0, null, null from compared where not (is_before and is_after)
        )
        order by clip_id, number
    """
    with duckdb.connect() as connection:
        connection.register("rows_before", before)
        connection.register("rows_after", after)
        return connection.sql(query, params={"names": names}).to_arrow_table().cast(CHANGES)


def difference(before: pa.Table, after: pa.Table, *, is_same_tier: bool = True) -> Difference:
    """What has changed, counted. Of two tiers one holds no media: whether there is a file says nothing then."""
    found = changes(before, after)
    filled = pc.and_(pc.is_null(found["before"]), pc.is_valid(found["after"]))
    emptied = pc.and_(pc.is_valid(found["before"]), pc.is_null(found["after"]))
    if not is_same_tier:
        of_a_file = pc.is_in(found["column_name"], pa.array(OF_MEDIA))
        is_told = pc.invert(pc.and_(of_a_file, pc.or_(filled, emptied)))
        found, filled, emptied = found.filter(is_told), filled.filter(is_told), emptied.filter(is_told)
    both = [name for name in after.column_names if name in before.column_names]

    def clips(*masks: pa.ChunkedArray) -> int:
        """In how many clips one of these is so."""
        return len(set(found["clip_id"].filter(_any(masks)).to_pylist()))

    file, frame, permission = (_is(found, "column_name", name) for name in (*OF_MEDIA, PERMISSION))
    to_full, from_full = _is(found, "after", PERMITTED), _is(found, "before", PERMITTED)
    return Difference(
        changes=found,
        domains=_domains(before, after, found),
        columns=_columns(found, filled, emptied, both),
        columns_added=tuple(name for name in after.column_names if name not in before.column_names),
        columns_removed=tuple(name for name in before.column_names if name not in after.column_names),
        columns_retyped=tuple(name for name in both if before.schema.field(name).type != after.schema.field(name).type),
        media_given=clips(pc.and_(file, filled), pc.and_(permission, to_full)),
        media_withdrawn=clips(pc.and_(file, emptied), pc.and_(permission, from_full)),
        frames_given=clips(pc.and_(frame, filled)),
        frames_withdrawn=clips(pc.and_(frame, emptied)),
        emotions=_emotions(found),
    )


def _compared(before: pa.Table, after: pa.Table, name: str) -> str:
    """SQL: null where a column has not changed, else both values as texts."""
    quoted = '"' + name.replace('"', '""') + '"'
    was = f"b.{quoted}" if name in before.column_names else "null"
    now = f"a.{quoted}" if name in after.column_names else "null"
    types = {rows.schema.field(name).type for rows in (before, after) if name in rows.column_names}
    texts = f"{was}::varchar", f"{now}::varchar"
    left, right = texts if len(types) > 1 else (was, now)
    return f"case when {left} is distinct from {right} then {{'before': {texts[0]}, 'after': {texts[1]}}} end"


def _is(found: pa.Table, column: str, value: str) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(found[column], value), False)


def _any(masks: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    together = masks[0]
    for mask in masks[1:]:
        together = pc.or_(together, mask)
    return together


def _domains(before: pa.Table, after: pa.Table, found: pa.Table) -> dict[str, Counts]:
    of_clip = {clip: domain for rows in (before, after) for clip, domain in _by_clip(rows, "domain")}
    kinds = Counter((of_clip[clip], kind) for clip, kind in set(_by_clip(found, "change")))
    was, now = (Counter(domain for _, domain in _by_clip(rows, "domain")) for rows in (before, after))
    known = [*DOMAINS, *sorted(set(of_clip.values()) - set(DOMAINS))]
    return {
        domain: Counts(was[domain], kinds[domain, ADDED], kinds[domain, REMOVED], kinds[domain, CHANGED], now[domain])
        for domain in known
    }


def _by_clip(rows: pa.Table, column: str) -> Iterable[tuple[str, str]]:
    return zip(rows["clip_id"].to_pylist(), rows[column].to_pylist(), strict=True)


def _columns(
    found: pa.Table, filled: pa.ChunkedArray, emptied: pa.ChunkedArray, names: Sequence[str]
) -> dict[str, ColumnCounts]:
    def counted(rows: pa.Table) -> Counter[str]:
        return Counter(rows["column_name"].drop_null().to_pylist())

    total, fills, empties = counted(found), counted(found.filter(filled)), counted(found.filter(emptied))
    return {
        name: ColumnCounts(total[name] - fills[name] - empties[name], fills[name], empties[name])
        for name in names
        if total[name]
    }


def _emotions(found: pa.Table) -> dict[tuple[str, str], int]:
    rows = found.filter(_is(found, "column_name", "emotion"))
    moves = Counter(zip(rows["before"].to_pylist(), rows["after"].to_pylist(), strict=True))
    return dict(sorted(moves.items(), key=lambda move: (-move[1], move[0])))
