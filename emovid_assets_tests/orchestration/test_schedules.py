"""What the schedules ask for, and the proof of the weekly one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from emovid_assets.assets.partitions import domain_partitions
from emovid_assets.core.domains import DOMAINS
from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.orchestration.jobs import verify_dataset
from emovid_assets.orchestration.schedules import schedules
from emovid_assets.orchestration.tidying import tidy_history
from emovid_assets.resources.project import Project
from emovid_assets_tests.assets.homes import Demo, copy_of, rows

SUNDAY = datetime(2026, 11, 22, 4, tzinfo=UTC)


def asked(schedule: dg.ScheduleDefinition, *assets: dg.AssetsDefinition) -> list[dg.RunRequest]:
    moment = SUNDAY
    with dg.DagsterInstance.ephemeral() as instance:
        repository = dg.Definitions(assets, jobs=[schedule.job], schedules=[schedule]).get_repository_def()
        context = dg.build_schedule_context(instance, scheduled_execution_time=moment, repository_def=repository)
        return list(schedule.evaluate_tick(context).run_requests or [])


def test_the_weekly_build_asks_for_every_domain_once_a_week() -> None:
    @dg.asset(partitions_def=domain_partitions)
    def anything() -> None: ...

    job = dg.define_asset_job("build_dataset", [anything])
    weekly = schedules(dg.DefaultScheduleStatus.STOPPED, [job, verify_dataset, tidy_history])[0]
    requests = asked(weekly, anything)
    assert [request.partition_key for request in requests] == list(DOMAINS)
    assert requests[0].run_key == "2026-11-22-movie"


def test_a_collection_job_is_scheduled_by_night_where_there_is_one() -> None:
    @dg.op
    def fetch() -> None: ...

    @dg.job(partitions_def=domain_partitions)
    def collect_sources() -> None:
        fetch()

    jobs = [*(build_defs().jobs or ())]
    others = [job for job in jobs if job.name != "collect_sources"]
    names = {one.name: one for one in schedules(dg.DefaultScheduleStatus.STOPPED, [*others, collect_sources])}
    assert names["nightly_collection"].cron_schedule == "0 2 * * *"
    assert [request.partition_key for request in asked(names["nightly_collection"])] == list(DOMAINS)
    assert "nightly_collection" not in {one.name for one in schedules(dg.DefaultScheduleStatus.STOPPED, others)}


def test_the_proof_of_a_week_is_asked_for_once_and_not_while_runs_are_at_work(tmp_path: Path) -> None:
    @dg.asset(partitions_def=domain_partitions)
    def anything() -> None: ...

    build = dg.define_asset_job("build_dataset", [anything])
    weekly = schedules(dg.DefaultScheduleStatus.STOPPED, [build, verify_dataset, tidy_history])[1]
    definitions = dg.Definitions(
        [anything], jobs=[build, verify_dataset, tidy_history], resources={"project": Project()}
    )
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def tick(hours: float) -> str:
            moment = SUNDAY + timedelta(hours=hours)
            context = dg.build_schedule_context(instance, scheduled_execution_time=moment)
            answer = weekly.evaluate_tick(context)
            (request,) = answer.run_requests or [None]
            return str(request.run_key if request else answer.skip_message)

        job = definitions.resolve_job_def("build_dataset")
        run = instance.create_run_for_job(job, tags={"dagster/partition": "sticker"})
        assert tick(1) == "runs are at work on sticker: asked again in a quarter of an hour"
        instance.report_run_failed(run)
        assert tick(1.25) == "2026-11-22"
        tags = {"dagster/schedule_name": weekly.name, "dagster/run_key": "2026-11-22"}
        proof = instance.create_run_for_job(verify_dataset, tags=tags)
        instance.report_run_failed(proof)
        # Nor on Monday; but the week after.
        for hours in (1.5, 30):
            assert tick(hours) == f"run {proof.run_id[:8]} is the proof of the week of 2026-11-22"
        assert tick(7 * 24 + 1) == "2026-11-29"


@pytest.mark.integration
def test_the_verification_passes_on_an_empty_home_and_fails_with_what_does_not_hold(demo: Demo, tmp_path: Path) -> None:
    home = copy_of(demo.home, tmp_path / "home")
    broken = rows(home, "clip_media", "sticker")[0]["media_path"]
    (home / broken).write_bytes(b"something else")

    def proved(folder: Path) -> dg.ExecuteInProcessResult:
        resources = {"project": Project(home_folder=str(folder))}
        return verify_dataset.execute_in_process(resources=resources, raise_on_error=False)

    assert proved(tmp_path / "nothing").success
    failed = proved(home)
    assert not failed.success
    message = failed.failure_data_for_node("prove").error.message
    assert "emovid verify --repair" in message
    assert broken.split("/")[-1] in message
