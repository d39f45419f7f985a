"""Releases of copies of the demo, made as `emovid release make` makes them."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from emovid_assets.building.releasing import make_release, one_at_a_time, prepare
from emovid_assets.core.release.layout import Tier
from emovid_assets.home.folders import Home
from emovid_assets.resources.release.making import Made
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.registry import TABLES


def make(home: Path, tier: Tier = "full", *, has_shards: bool = False) -> Made:
    place = Home(home)
    with one_at_a_time(place):
        return make_release(place, prepare(place, "of-the-test", tier, has_shards=has_shards))


def change(home: Path, table: str, domain: str | None, key: str, values: dict[str, dict[str, Any]]) -> None:
    """Gives rows of a table other values, by the value of their column `key`."""
    warehouse = Warehouse(Home(home).warehouse)
    rows = rows_of(warehouse.read(table, domain))
    assert {row[key] for row in rows} >= values.keys()
    changed = [row | values.get(row[key], {}) for row in rows]
    warehouse.write(table, domain, TABLES[table].from_rows(changed))


def decide(home: Path, *rows: str) -> None:
    """What a person writes into `release_decisions.csv`."""
    header = "what,value,permission,decided_by,reason"
    Home(home).release_decisions.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def read(folder: Path) -> pa.Table:
    """The rows of all splits, by Arrow alone."""
    return pa.concat_tables(pa.parquet.read_table(path) for path in sorted(folder.glob("*/metadata.parquet")))
