"""What automation relies on in Dagster 1.13: what a materialisation notes, in which order conditions are evaluated."""

import hashlib
from typing import Any

import dagster as dg

PARTITIONS = dg.StaticPartitionsDefinition(["movie", "animation"])
INPUT = "dagster/input_data_version/"


@dg.asset(partitions_def=PARTITIONS)
def above(context: dg.AssetExecutionContext) -> dg.Output[int]:
    return dg.Output(1, data_version=dg.DataVersion(f"version of {context.partition_key}"))


@dg.asset(partitions_def=PARTITIONS, deps=["options"])
def beside(above: int) -> dg.Output[int]:
    return dg.Output(1, data_version=dg.DataVersion("b"), tags={"emovid.settings/x": "1"})


@dg.asset
def pooled(above: Any) -> None: ...


OPTIONS = dg.AssetSpec("options")


def tags_of(instance: dg.DagsterInstance, asset: str) -> dict[str, str]:
    record = instance.fetch_materializations(dg.AssetKey(asset), limit=1).records[0]
    assert record.asset_materialization
    return dict(record.asset_materialization.tags or {})


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_materialisation_notes_the_versions_of_its_inputs_as_a_hash_of_their_partitions() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for domain in PARTITIONS.get_partition_keys():
            assert dg.materialize([above, beside, OPTIONS], partition_key=domain, instance=instance).success
        assert tags_of(instance, "beside")[f"{INPUT}above"] == digest("version of animation")
        # Tags of ours stand beside those of Dagster.
        assert tags_of(instance, "beside")["emovid.settings/x"] == "1"
        assert dg.materialize([above, pooled], selection=[pooled], instance=instance).success
        # In the order of the partitions' names, not of their definition.
        both = "version of animation" + "version of movie"
        assert tags_of(instance, "pooled")[f"{INPUT}above"] == digest(both)


def test_an_observation_without_a_run_is_a_version_and_adds_no_run() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetObservation("options", tags={"dagster/data_version": "7"}))
        assert instance.get_runs() == []
        (record,) = instance.fetch_observations(dg.AssetKey("options"), limit=1).records
        assert record.asset_observation
        assert record.asset_observation.data_version == "7"
        assert dg.materialize([above, beside, OPTIONS], partition_key="movie", instance=instance).success
        assert tags_of(instance, "beside")[f"{INPUT}options"] == "7"


def test_a_run_says_what_it_is_to_build_before_it_begins() -> None:
    definitions = dg.Definitions([above, beside, OPTIONS])
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(
            job.get_subset(asset_selection={dg.AssetKey("above")}), tags={"dagster/partition": "movie"}
        )
        planned = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
        events = [record.event_log_entry.dagster_event for record in planned.records]
        assert [(event.asset_key, event.partition) for event in events if event] == [(dg.AssetKey("above"), "movie")]


class Noting(dg.AutomationCondition[dg.AssetKey]):
    """Notes what it is evaluated for."""

    def __init__(self, notes: list[tuple[str, int]]) -> None:
        self._notes = notes

    def evaluate(self, context: Any) -> dg.AutomationResult[dg.AssetKey]:
        self._notes.append((context.key.to_user_string(), id(context.asset_graph_view)))
        cursor = str(int(context.cursor or 0) + 1)
        return dg.AutomationResult(context, context.get_empty_subset(), cursor=cursor)


def test_a_condition_of_our_own_sees_parents_first_on_one_view_a_tick_and_keeps_its_cursor() -> None:
    notes: list[tuple[str, int]] = []
    specs = dg.map_asset_specs(
        lambda spec: spec.replace_attributes(automation_condition=Noting(notes)), [pooled, beside, above]
    )
    definitions = dg.Definitions([*specs, OPTIONS])
    with dg.DagsterInstance.ephemeral() as instance:
        first = dg.evaluate_automation_conditions(definitions, instance)
        names = [name for name, _ in notes]
        assert names[0] == "above"
        assert sorted(names) == ["above", "beside", "pooled"]
        assert len({view for _, view in notes}) == 1
        second = dg.evaluate_automation_conditions(definitions, instance, cursor=first.cursor)
        assert second.total_requested == 0
        assert len(notes) == 6


def test_a_condition_of_our_own_cannot_leave_our_code() -> None:
    # Which is why its sensor has `use_user_code_server`.
    assert not Noting([]).is_serializable
    assert dg.AutomationCondition.eager().is_serializable
