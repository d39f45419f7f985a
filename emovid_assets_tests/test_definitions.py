"""What Dagster is given: a golden list of assets, checks and jobs, and what every asset has in common.

After a change that is meant, write the list anew and read the difference:

    EMOVID_UPDATE_SNAPSHOT=1 python -m pytest emovid_assets_tests/test_definitions.py
"""

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emovid_assets.assets.partitions import backfill_policy
from emovid_assets.building.runner import stages
from emovid_assets.core.domains import DOMAINS
from emovid_assets.definitions import defs
from emovid_assets.home.settings_groups import GROUPS
from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.resources.project import Project
from emovid_assets.tables.registry import TABLES

SNAPSHOT = Path(__file__).with_name("definitions_snapshot.json")
GRAPH = defs.resolve_asset_graph()
ALL_SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
SPECS = {name: spec for name, spec in ALL_SPECS.items() if name not in GROUPS}
# SPEC §4.
STAGES_OF_SPEC = (
    *("source_videos", "segments", "clips", "clip_media", "colour_attributes", "annotation_tasks"),
    *("human_annotations", "human_labels", "emotion_labeller", "vlm_labels", "captions", "emotion_labels"),
    *("validation_ratings", "kappa_validation", "benchmark_split", "processing_errors"),
    *("clip_embeddings", "embedding_map"),
)

table_by_table = pytest.mark.parametrize("name", sorted(TABLES))


def snapshot() -> dict[str, Any]:
    return {
        "assets": {name: asset_facts(name) for name in sorted(SPECS)},
        "checks": [check_facts(key) for key in sorted(GRAPH.asset_check_keys, key=str)],
        "jobs": {name: job_facts(name) for name in sorted(job_names())},
        "sensors": {sensor.name: sensor.default_status.value for sensor in defs.sensors or ()},
        "schedules": {one.name: [one.cron_schedule, one.default_status.value] for one in defs.schedules or ()},
    }


def asset_facts(name: str) -> dict[str, Any]:
    spec, node = SPECS[name], GRAPH.get(dg.AssetKey(name))
    return {
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "group": spec.group_name,
        "kinds": sorted(spec.kinds),
        "owners": list(spec.owners),
        "partitions": node.partitions_def.get_partition_keys() if node.partitions_def else None,
        "backfill_policy": str(node.backfill_policy) if node.backfill_policy else "default",
        "code_version": spec.code_version,
        "pools": sorted(node.pools or ()),
        "automation": spec.automation_condition.name if spec.automation_condition else None,
        "freshness": str(spec.freshness_policy) if spec.freshness_policy else None,
    }


def check_facts(key: dg.AssetCheckKey) -> dict[str, Any]:
    node = GRAPH.get(key)
    return {
        "asset": key.asset_key.to_user_string(),
        "check": key.name,
        "blocking": node.blocking,
        "partitioned": node.partitions_def is not None,
    }


def job_names() -> list[str]:
    """Jobs of assets."""
    return [job.name for job in defs.jobs or () if not isinstance(job, dg.JobDefinition)]


def job_facts(name: str) -> dict[str, Any]:
    job = defs.resolve_job_def(name)
    return {
        "assets": sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys),
        "partitioned": job.partitions_def is not None,
    }


def test_the_definitions_are_those_of_the_snapshot() -> None:
    text = json.dumps(snapshot(), indent=1) + "\n"
    if os.environ.get("EMOVID_UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == json.loads(text)


def test_every_table_of_the_contract_is_an_asset_and_every_table_asset_is_in_the_registry() -> None:
    assert set(STAGES_OF_SPEC) <= set(SPECS)
    assert set(SPECS) - {"catalogue", "dataset_report"} == set(TABLES)


def test_every_group_of_settings_is_an_observed_asset_that_something_depends_on() -> None:
    assert set(ALL_SPECS) - set(SPECS) == set(GROUPS)
    for name in GROUPS:
        node = GRAPH.get(dg.AssetKey(name))
        assert not node.is_materializable
        assert node.child_keys
        assert ALL_SPECS[name].group_name == "settings"


def test_nothing_acts_by_itself_unless_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def statuses() -> set[str]:
        definitions = build_defs()
        return {one.default_status.value for one in (*definitions.sensors, *definitions.schedules)}

    monkeypatch.delenv("EMOVID_AUTOMATION", raising=False)
    assert statuses() == {"STOPPED"}
    monkeypatch.setenv("EMOVID_AUTOMATION", "on")
    assert statuses() == {"RUNNING"}


def test_all_partitioned_assets_share_the_domains_and_one_backfill_policy() -> None:
    names = [name for name, table in TABLES.items() if table.is_partitioned]
    assert len(names) >= 15
    assert all(asset_facts(name)["partitions"] == list(DOMAINS) for name in names)
    assert all(GRAPH.get(dg.AssetKey(name)).backfill_policy == backfill_policy for name in names)
    # No policy is Dagster's own: one run per partition.
    assert (backfill_policy or dg.BackfillPolicy.multi_run()).max_partitions_per_run == 1


def test_the_unpartitioned_assets_are_those_that_need_all_domains_at_once() -> None:
    assert {name for name in SPECS if not GRAPH.get(dg.AssetKey(name)).is_partitioned} == {
        "emotion_labeller",
        "labeller_answers",
        "labeller_comparison",
        "pooled_kappa",
        "agreement_statistics",
        "embedding_map",
        "embedding_separability",
        "caption_phrase_counts",
        "catalogue",
        "dataset_report",
    }


@pytest.mark.parametrize("name", sorted(SPECS))
def test_an_asset_says_what_it_is_and_who_owns_it(name: str) -> None:
    spec = SPECS[name]
    assert len(spec.description or "") > 40
    assert spec.owners == ["team:emovid"]
    assert spec.code_version
    assert spec.kinds


@table_by_table
def test_the_column_schema_in_the_ui_is_the_registrys(name: str) -> None:
    schema = SPECS[name].metadata["dagster/column_schema"]
    columns = TABLES[name].columns
    assert [column.name for column in schema.columns] == [column.name for column in columns]
    assert [column.type for column in schema.columns] == [str(column.type) for column in columns]
    assert [column.constraints.nullable for column in schema.columns] == [column.is_nullable for column in columns]
    for shown, column in zip(schema.columns, columns, strict=True):
        assert column.meaning in shown.description
        assert column.unit is None or shown.description.endswith(f"[{column.unit}]")


@table_by_table
def test_a_table_has_its_three_blocking_checks_partitioned_like_the_table(name: str) -> None:
    checks = {fact["check"]: fact for fact in snapshot()["checks"] if fact["asset"] == name}
    for check in ("schema_matches", "keys_are_unique", "values_are_valid"):
        assert checks[check]["blocking"]
        assert checks[check]["partitioned"] == TABLES[name].is_partitioned
    assert all(fact["partitioned"] == TABLES[name].is_partitioned for fact in checks.values())


def test_no_job_mixes_partitioned_and_unpartitioned_assets() -> None:
    for name in job_names():
        kinds = {GRAPH.get(dg.AssetKey(asset)).is_partitioned for asset in job_facts(name)["assets"]}
        # A job of ops has a partition and no asset.
        assert kinds <= {job_facts(name)["partitioned"]}, name


def test_the_jobs_together_cover_every_asset() -> None:
    assert {asset for name in job_names() for asset in job_facts(name)["assets"]} == set(SPECS)


def test_a_resource_can_be_replaced_by_name(tmp_path: Path) -> None:
    project = Project(home_folder=str(tmp_path))
    resources = build_defs(resource_overrides={"project": project}).resources or {}
    assert resources["project"] is project
    assert resources["io_manager"].project is project


def test_the_whole_graph_is_walked_partitioned_first_and_each_asset_after_its_parents() -> None:
    plan = stages(defs, None)
    order = [key for _, keys in plan for key in keys]
    assert [is_partitioned for is_partitioned, _ in plan] == [True, False, True, False]
    assert len(order) == len(set(order)) == len(SPECS)
    for key in order:
        assert all(order.index(parent) < order.index(key) for parent in GRAPH.get(key).parent_keys if parent in order)
    for is_partitioned, keys in plan:
        assert all(GRAPH.get(key).is_partitioned == is_partitioned for key in keys)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("key:clips", [(True, {"clips"})]),
        ("key:emotion_labeller", [(False, {"emotion_labeller"})]),
        # `emotion_labels` waits for nothing here: the labels by model are not selected.
        (
            "key:human_labels+1",
            [
                (True, {"human_labels", "emotion_labels", "clip_facts", "disputed_clips"}),
                (False, {"emotion_labeller", "labeller_answers", "catalogue"}),
            ],
        ),
        (
            "key:emotion_labeller or key:vlm_labels or key:emotion_labels",
            [(False, {"emotion_labeller"}), (True, {"vlm_labels", "emotion_labels"})],
        ),
    ],
)
def test_a_selection_is_walked_in_the_same_way(selection: str, expected: list[tuple[bool, set[str]]]) -> None:
    plan = stages(defs, selection)
    assert [(is_partitioned, {key.to_user_string() for key in keys}) for is_partitioned, keys in plan] == expected


@pytest.mark.parametrize("selection", ["key:nothing", "what is this", "group:"])
def test_a_selection_that_gives_nothing_is_refused_with_the_names_there_are(selection: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)--select.*colour_attributes"):
        stages(defs, selection)
