"""What the files of tables say of themselves, beside what was recorded of them."""

from pathlib import Path

import pytest
from pyarrow import RecordBatchReader

from emovid_assets.freshness.kept import Kept
from emovid_assets.freshness.news import OTHER_FILE, VERSION_IS_STATE, Look
from emovid_assets.freshness.staleness import VERSION_TAG, Place, Verdict
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse, of_domain
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.planted_tables import valid_rows

SWAPPED = [name for name in VERSION_IS_STATE if TABLES[name].is_partitioned]


@pytest.mark.parametrize("table", SWAPPED)
def test_derived_tables_of_two_domains_that_were_copied_over_each_other_are_stale(tmp_path: Path, table: str) -> None:
    home = Home(tmp_path)
    warehouse = Warehouse(home.warehouse)
    paths = []
    for domain, count in (("movie", 2), ("sticker", 3)):
        rows = TABLES[table].from_rows(valid_rows(table, count, domain))
        schema = of_domain(rows.schema, domain)
        paths.append(warehouse.write_batches(table, domain, RecordBatchReader.from_batches(schema, rows.to_batches())))
    recorded = {domain: warehouse.state(table, domain) for domain in ("movie", "sticker")}

    def reasons() -> list[tuple[str, ...]]:
        return [
            Look(home, Kept(home)).judged(Place(table, domain), Verdict({VERSION_TAG: state}, (), ""), {}).reasons
            for domain, state in recorded.items()
        ]

    assert reasons() == [(), ()]
    first, second = (path.read_bytes() for path in paths)
    # Into the files themselves: both names of each hold the other's rows now.
    paths[0].write_bytes(second)
    paths[1].write_bytes(first)
    assert {domain: warehouse.state(table, domain) for domain in recorded} == recorded
    assert reasons() == [(OTHER_FILE,), (OTHER_FILE,)]
