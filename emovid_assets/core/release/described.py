"""What is said of a table and its columns elsewhere: in Croissant, in FiftyOne.

Belongs here: what these documents ask of a column. Does not belong here: the tables themselves, which are above this
room and fit (`tables.columns`).
"""

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa


class DescribedColumn(Protocol):
    """As `tables.columns.Column`."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> pa.DataType: ...
    @property
    def meaning(self) -> str: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def vocabulary(self) -> tuple[str, ...] | None: ...


class DescribedTable(Protocol):
    """As `tables.columns.Table`."""

    @property
    def meaning(self) -> str: ...
    @property
    def key(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> Sequence[DescribedColumn]: ...


def meaning_with_unit(column: DescribedColumn) -> str:
    return f"{column.meaning} [{column.unit}]" if column.unit else column.meaning
