"""What is said of where columns come from agrees with the graph, and with what tables hold."""

import dagster as dg
import pyarrow.compute as pc
import pytest

from emovid_assets.core.domains import DOMAINS
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.generation import GENERATION_TABLES
from emovid_assets.tables.lineage import HANDED_ON, MADE_FROM, lineage_of
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import Demo
from emovid_assets_tests.definitions_snapshot import SPECS

TOLD = sorted({*HANDED_ON, *MADE_FROM})


@pytest.mark.parametrize("table", TOLD)
def test_a_column_comes_from_columns_of_what_its_table_is_made_from(table: str) -> None:
    above = {dep.asset_key.to_user_string() for dep in SPECS[table].deps}
    for column, sources in lineage_of(table).items():
        assert column in TABLES[table].column_names
        for source, name in sources:
            assert source in above, f"{table}.{column} says {source}"
            assert name in TABLES[source].column_names
    assert not {*HANDED_ON.get(table, ())} & {*MADE_FROM.get(table, ())} - {"emotion"}


def test_every_column_of_what_is_joined_is_told() -> None:
    assert set(lineage_of("clip_facts")) == set(TABLES["clip_facts"].column_names)


@pytest.mark.integration
def test_what_is_handed_on_is_what_the_columns_hold_that_it_comes_from(demo: Demo) -> None:
    warehouse, seen = Warehouse(Home(demo.home).warehouse), set()

    def values(table: str, column: str, domain: str) -> set[object]:
        rows = warehouse.read(table, domain if TABLES[table].is_partitioned else None)
        return {tuple(one) if isinstance(one, list) else one for one in pc.unique(rows[column]).to_pylist()} - {None}

    for table, columns in HANDED_ON.items():
        for domain in DOMAINS if TABLES[table].is_partitioned else DOMAINS[:1]:
            for column, sources in columns.items():
                held = values(table, column, domain)
                whole = set().union(*(values(source, name, domain) for source, name in sources))
                if not TABLES[table].is_partitioned:
                    whole = {one for each in DOMAINS for source, name in sources for one in values(source, name, each)}
                assert held <= whole, f"{table}.{column} in {domain}"
                if held:
                    seen.add(table)
    # The demo has no generated videos; what is handed on of them is judged where they are made (tests in generation/).
    of_videos = {table.name for table in GENERATION_TABLES}
    assert seen == set(HANDED_ON) - of_videos, "each is judged by something"


def test_dagster_is_told_names_columns_and_lineage() -> None:
    metadata = SPECS["clip_facts"].metadata
    assert metadata["dagster/table_name"] == "catalogue.main.clip_facts"
    lineage = metadata["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    (source,) = lineage.deps_by_column["source_sha256"]
    assert (source.asset_key, source.column_name) == (dg.AssetKey("source_videos"), "sha256")
    assert "dagster/column_lineage" not in SPECS["wanted_videos"].metadata
