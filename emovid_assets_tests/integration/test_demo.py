"""The demo through the real command line: it builds everything, and a second run computes nothing.

`emovid_assets_tests/assets` looks into the tables that it leaves behind.
"""

import re
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from emovid_assets.building.runner import open_instance
from emovid_assets.building.status import asset_states
from emovid_assets.core.domains import DOMAINS
from emovid_assets.definitions import defs
from emovid_assets.freshness.staleness import VERSION_TAG
from emovid_assets.home.folders import Home
from emovid_assets.resources.warehouse import Warehouse, content_hash
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import Demo, build, built_demo, copy_of, errors_of

pytestmark = pytest.mark.integration

GRAPH = defs.resolve_asset_graph()
DERIVED = ("clip_facts", "disputed_clips", "caption_phrase_counts")
BUILT = [key for key in GRAPH.toposorted_asset_keys if GRAPH.get(key).is_materializable]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return built_demo(tmp_path_factory)


def versions(home: Path) -> dict[tuple[str, str | None], str]:
    """Data version of the latest materialisation of every asset and domain."""
    found: dict[tuple[str, str | None], str] = {}
    with open_instance(Home(home)) as instance:
        for key in BUILT:
            for domain in DOMAINS if GRAPH.get(key).is_partitioned else (None,):
                filters = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[domain] if domain else None)
                (record,) = instance.fetch_materializations(filters, limit=1).records
                made = record.asset_materialization
                assert made is not None
                found[key.to_user_string(), domain] = (made.tags or {})[VERSION_TAG]
    return found


def test_the_demo_prints_the_tables_of_the_paper_from_what_it_has_built(demo: Demo) -> None:
    for title in (
        *("Dataset statistics", "Emotion distribution", "Colour by emotion", "Most probable next emotion"),
        *("Agreement on the validation clips", "Labeller, cross-validated", "Benchmark cells", "Quarantine"),
    ):
        assert title in demo.output
    assert "all human answers are simulated" in demo.output
    assert f"The report: {demo.home / 'reports' / 'report.html'}" in demo.output
    assert "simulated, not given by people" in (demo.home / "reports/report.html").read_text(encoding="utf-8")
    assert re.search(r"^total +\d+ ", demo.output, re.MULTILINE)
    assert "Traceback" not in demo.output
    # Its own settings are for a library without settings; these were there before.
    assert "validation_minimum = 4" in (demo.home / "emovid.toml").read_text(encoding="utf-8")


def test_the_data_version_of_every_table_is_the_hash_of_its_content(demo: Demo) -> None:
    found = versions(demo.home)
    warehouse = Warehouse(Home(demo.home).warehouse)
    for name, table in TABLES.items():
        for domain in DOMAINS if table.is_partitioned else (None,):
            # Derived tables may be too large to be read: the hash of their file stands for them.
            content = warehouse.state(name, domain) if name in DERIVED else content_hash(warehouse.read(name, domain))
            assert found[name, domain] == content, (name, domain)


def test_after_a_full_build_nothing_is_stale_for_us_and_for_dagster(demo: Demo) -> None:
    assert {state.state for state in asset_states(Home(demo.home))} == {"up to date"}
    with open_instance(Home(demo.home)) as instance:
        resolver = CachingStaleStatusResolver(instance, GRAPH, LoadingContextForTest(instance))
        stale = [
            (key.to_user_string(), domain)
            for key in BUILT
            for domain in (DOMAINS if GRAPH.get(key).is_partitioned else (None,))
            if resolver.get_status(key, domain) != StaleStatus.FRESH
        ]
    assert stale == []


def test_a_second_build_computes_nothing_and_only_puts_the_benchmark_up_for_review(demo: Demo, tmp_path: Path) -> None:
    home = copy_of(demo.home, tmp_path / "home")
    reports = build(home)
    assert errors_of(reports) == []
    done = [one for report in reports for one in report.assets]
    assert len(done) == sum(len(DOMAINS) if table.is_partitioned else 1 for table in TABLES.values()) + 2
    computed = {(one.asset, one.domain): one.computed for one in done if one.computed is not None}
    steps = ("source_videos", "scanned_segments", "clip_media", "clip_fingerprints", "benchmark_split")
    steps += ("clip_facts", "disputed_clips", "generated_videos", "generation_filmstrips")
    pooled = ("embedding_map", "embedding_separability", "caption_phrase_counts")
    assert computed == {(step, domain): 0 for step in steps for domain in DOMAINS} | {
        (step, None): 0 for step in pooled
    }
    before, after = Warehouse(Home(demo.home).warehouse), Warehouse(Home(home).warehouse)
    for name, table in TABLES.items():
        # The plan looks at the benchmark of the last build, which there was none of when the demo made its plan.
        for domain in (DOMAINS if table.is_partitioned else (None,)) if name != "annotation_tasks" else ():
            assert content_hash(after.read(name, domain)) == content_hash(before.read(name, domain)), (name, domain)
    planned, planned_now = (tasks_of(warehouse) for warehouse in (before, after))
    benchmark = {row["clip_id"] for row in rows_of(after.read("benchmark_split")) if row["split"] == "benchmark"}
    assert planned_now == planned | {(clip_id, "review") for clip_id in benchmark}
    assert benchmark


def tasks_of(warehouse: Warehouse) -> set[tuple[str, str]]:
    return {(row["clip_id"], row["purpose"]) for row in rows_of(warehouse.read("annotation_tasks"))}
