"""What Dagster is given: a golden list of assets, checks and jobs, and what every asset has in common.

After a change that is meant, write the list anew (`definitions_snapshot` says what that means) and read the difference.
"""

import inspect
import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml

from emovid_assets.assets.partitions import backfill_policy
from emovid_assets.building.runner import selected
from emovid_assets.core.domains import DOMAINS
from emovid_assets.definitions import defs
from emovid_assets.home.settings_groups import GROUPS
from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.resources.project import Project
from emovid_assets.tables.registry import TABLES
from emovid_assets_tests.assets.homes import ROOT
from emovid_assets_tests.code_reach import Code
from emovid_assets_tests.definitions_snapshot import (
    ALL_SPECS,
    GRAPH,
    SPECS,
    asset_facts,
    bodies,
    code_of_assets,
    facts,
    job_facts,
    job_names,
    read_snapshot,
    undecided,
)

# SPEC §4.
STAGES_OF_SPEC = (
    *("source_videos", "segments", "clips", "clip_media", "colour_attributes", "annotation_tasks"),
    *("human_annotations", "human_labels", "emotion_labeller", "vlm_labels", "captions", "emotion_labels"),
    *("validation_ratings", "kappa_validation", "benchmark_split", "processing_errors"),
    *("clip_embeddings", "embedding_map", "clip_groups"),
)

table_by_table = pytest.mark.parametrize("name", sorted(TABLES))


def test_the_definitions_are_those_of_the_snapshot() -> None:
    known, now = read_snapshot(), facts()
    assert {name: known[name] for name in now} == now


def test_the_code_behind_an_asset_has_changed_only_where_somebody_has_said_what_that_means() -> None:
    assert undecided(read_snapshot(), facts()["assets"], code_of_assets(Code())) == []


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
        acting = [one for one in definitions.sensors if one.name != "dead_runs"]
        return {one.default_status.value for one in (*acting, *definitions.schedules)}

    # What only ends dead runs is always on.
    (always,) = [one for one in build_defs().sensors if one.name == "dead_runs"]
    assert always.default_status == dg.DefaultSensorStatus.RUNNING
    monkeypatch.delenv("EMOVID_AUTOMATION", raising=False)
    assert statuses() == {"STOPPED"}
    monkeypatch.setenv("EMOVID_AUTOMATION", "on")
    assert statuses() == {"RUNNING"}


def test_every_step_of_every_job_is_under_the_lock_of_its_run_in_one_process() -> None:
    for name in (job.name for job in defs.resolve_all_job_defs()):
        job = defs.resolve_job_def(name)
        # Where each step had a process, each would have a lock.
        assert job.executor_def.name == "in_process"
        for node in job.nodes:
            assert {output.io_manager_key for output in node.definition.output_defs} == {"io_manager"}, node.name


def test_all_partitioned_assets_share_the_domains_and_one_backfill_policy() -> None:
    names = [name for name, table in TABLES.items() if table.is_partitioned]
    assert len(names) >= 15
    assert all(asset_facts(name)["partitions"] == list(DOMAINS) for name in names)
    assert all(GRAPH.get(dg.AssetKey(name)).backfill_policy == backfill_policy for name in names)
    # No policy is Dagster's own: one run per partition.
    assert (backfill_policy or dg.BackfillPolicy.multi_run()).max_partitions_per_run == 1


def test_the_unpartitioned_assets_are_those_that_need_all_domains_at_once() -> None:
    assert {name for name in SPECS if not GRAPH.get(dg.AssetKey(name)).is_partitioned} == {
        "clip_groups",
        "emotion_labeller",
        "labeller_answers",
        "labeller_comparison",
        "pooled_kappa",
        "agreement_statistics",
        "embedding_map",
        "embedding_separability",
        "caption_phrase_counts",
        "generation_metrics",
        "generation_tests",
        "preference_results",
        "training_sets",
        "generator_adapters",
        "releases",
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


def test_each_asset_refers_to_its_own_body_in_the_file_where_it_stands() -> None:
    for name, body in bodies().items():
        (place,) = SPECS[name].metadata["dagster/code_references"].code_references
        lines = Path(place.file_path).read_text(encoding="utf-8").splitlines()[place.line_number - 1 :]
        assert Path(place.file_path) == Path(inspect.getfile(body))
        assert lines[0].startswith(("@table_asset(", "@dg.asset("))
        # The first function from there.
        assert next(line for line in lines if line.startswith("def ")).startswith(f"def {name}(")


def test_dagster_loads_the_same_location_by_either_of_its_files() -> None:
    """Where `pyproject.toml` has `[tool.dg]`, `dagster dev` without `-w` passes over `workspace.yaml`."""
    (location,) = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dg"]["project"]
    assert location["python_module"] == {
        "module_name": project["code_location_target_module"],
        "location_name": project["code_location_name"],
    }


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
    checks = {fact["check"]: fact for fact in facts()["checks"] if fact["asset"] == name}
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


@pytest.mark.parametrize("selection", ["key:nothing", "what is this", "group:"])
def test_a_selection_that_gives_nothing_is_refused_with_the_names_there_are(selection: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)--select.*colour_attributes"):
        selected(defs, selection)
