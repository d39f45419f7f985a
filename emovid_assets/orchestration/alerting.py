"""Sensors that look at how things are, for people who do not: what has failed, and what was not built for long.

Belongs here: what is worth a message, and that each is told once. Does not belong here: how a message is delivered
(`resources.alerts`), what old means (`freshness.ages`), and noticing new files (`sensors`).

What was told is in the cursor, by what has happened: a code server that ends between a delivery and the next tick is
the one case in which a message comes twice. Each has an `id`, by which a receiver can tell.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.plain_text import cut, one_line
from emovid_assets.core.redaction import Redactor
from emovid_assets.freshness.age_checks import CHECK
from emovid_assets.freshness.ages import ages
from emovid_assets.freshness.runs import failed_places, first_error, names_of
from emovid_assets.home.settings import AlertSettings, SettingsError
from emovid_assets.orchestration.beside_ticks import Beside, Waiting
from emovid_assets.resources import alerts as delivery
from emovid_assets.resources.project import Project

LOOKED_BACK_S = 7 * 86_400.0
"""A run that failed while no daemon was there is told for so long."""
LONGEST_SENTENCE = 500

Event = dict[str, Any]
Told = dict[str, list[str]]
_beside: defaultdict[str, Beside[tuple[Told, list[str]]]] = defaultdict(Beside)
"""By home: this module may serve several."""


def freshness_by_domain(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Judges the check `built_lately` anew where time alone has changed it: the warning says which domain is left."""
    old = [age for age in ages(context.instance) if age.is_old]
    # By runs: a check of a partition that no run has made can be stored once only (Dagster 1.13). Builds judge it too.
    requests = [
        dg.RunRequest(
            run_key=f"{age.place.asset}-{age.place.domain or 'all'}-{age.built_at_s:.0f}",
            partition_key=age.place.domain,
            asset_selection=[],
            asset_check_keys=[dg.AssetCheckKey(dg.AssetKey(age.place.asset), CHECK)],
        )
        for age in old
    ]
    fresh = "everything that is relied on was built lately"
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else fresh)


def alerts(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult:
    """Tells people of failed runs, failed checks and domains that were not built for long, each once."""
    cursor: dict[str, Any] = json.loads(context.cursor or "{}")
    since_s: float = cursor.setdefault("since_s", time.time())
    told: Told = cursor.setdefault("told", {})

    def done(reason: str) -> dg.SensorResult:
        return dg.SensorResult(skip_reason=reason, cursor=json.dumps(cursor, sort_keys=True))

    try:
        settings = project.settings.alerts
    except SettingsError as error:
        return done(str(error))
    channels = delivery.channels(settings)
    if not channels:
        cursor["since_s"] = time.time()
        return done("nobody is to be told: alert_url and alert_command of [alerts] are not set")
    checks = context.repository_def.asset_graph.asset_check_keys if context.repository_def else ()
    events = {event["id"]: event for event in happened(context.instance, checks, since_s)}
    # What has passed is forgotten, so that it is told again when it happens again.
    cursor["told"] = told = {name: by for name, by in told.items() if name in events}
    untold = [event for name, event in events.items() if set(channels) - set(told.get(name, ()))]
    home = str(project.home.root)
    if not untold:
        return done(f"{len(events)} known, nothing new")
    answer = _beside[home].tick(
        partial(_deliver, [{**event, "home": home} for event in untold], settings, channels, told),
        # A message may take all its attempts by each way; then comes the next.
        deadline_s=len(untold) * (settings.attempts + 1) * (settings.timeout_s + 60.0),
    )
    if isinstance(answer, Waiting):
        return done(f"{len(untold)} to be told: {answer.sentence}")
    delivered, faults = answer
    for name, by in delivered.items():
        told[name] = sorted({*told.get(name, ()), *by})
    for fault in faults:
        context.log.warning(f"not told: {fault}")
    return done("; ".join([f"{sum(map(bool, delivered.values()))} told", *faults]))


def _deliver(
    events: Iterable[Event], settings: AlertSettings, channels: Iterable[str], told: Mapping[str, list[str]]
) -> tuple[Told, list[str]]:
    """Which messages went by which ways, and a sentence for each that did not. A way that has failed is left until the
    next tick: others would wait for the same."""
    delivered: Told = {}
    faults: list[str] = []
    open_ways = set(channels)
    for event in events:
        by, said = delivery.deliver(event, settings, open_ways - set(told.get(event["id"], ())))
        delivered[event["id"]] = sorted(by)
        faults += said
        open_ways -= {fault.partition(":")[0] for fault in said}
    return delivered, faults


def happened(
    instance: dg.DagsterInstance, checks: Iterable[dg.AssetCheckKey], since_s: float, now_s: float | None = None
) -> Iterator[Event]:
    """What is worth a message now: runs that failed after `since_s`, failed checks that count as errors, and what is
    relied on and old. The same thing has the same `id` whenever it is asked for."""
    now_s = time.time() if now_s is None else now_s
    yield from _failed_runs(instance, max(since_s, now_s - LOOKED_BACK_S))
    yield from _failed_checks(instance, list(checks))
    for age in ages(instance, now_s):
        if age.is_old:
            place = age.place
            yield _event(
                f"old/{place.asset}/{place.domain or 'all'}/{age.built_at_s:.0f}",
                "not_built_lately",
                age.sentence,
                now_s,
                asset=place.asset,
                domain=place.domain,
            )


def _failed_runs(instance: dg.DagsterInstance, since_s: float) -> Iterator[Event]:
    filters = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.fromtimestamp(since_s, tz=UTC)
    )
    for record in instance.get_run_records(filters):
        run = record.dagster_run
        ended_s = record.end_time or record.update_timestamp.timestamp()
        if ended_s < since_s:
            continue
        places = failed_places(instance, run.run_id)
        steps = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1).records
        why = first_error(steps[0].event_log_entry.dagster_event) if steps else "it ended from outside"
        what = names_of(places) or run.job_name
        yield _event(
            f"run/{run.run_id}",
            "failed_run",
            f"Run {run.run_id[:8]} failed at {what}: {why}",
            ended_s,
            run_id=run.run_id,
            job=run.job_name,
            domain=run.tags.get("dagster/partition"),
        )


def _failed_checks(instance: dg.DagsterInstance, keys: list[dg.AssetCheckKey]) -> Iterator[Event]:
    for domain in (None, *DOMAINS):
        found = instance.event_log_storage.get_latest_asset_check_execution_by_key(
            keys, partition_filter=PartitionKeyFilter(key=domain)
        )
        for record in found.values():
            event = record.event.dagster_event if record.event else None
            if record.status != AssetCheckExecutionRecordStatus.FAILED or event is None:
                continue
            judged = event.asset_check_evaluation_data
            if judged.severity != dg.AssetCheckSeverity.ERROR:
                continue
            asset, check = judged.asset_key.to_user_string(), judged.check_name
            shown = ", ".join(f"{name} {value.value}" for name, value in judged.metadata.items())
            yield _event(
                f"check/{asset}/{check}/{domain or 'all'}/{record.run_id}",
                "failed_check",
                f"Check {check} of {asset} [{domain or 'all'}] failed: {shown}",
                record.create_timestamp,
                asset=asset,
                check=check,
                domain=domain,
                run_id=record.run_id,
            )


_redact = Redactor()


def _event(name: str, kind: str, sentence: str, at_s: float, **facts: str | None) -> Event:
    """A message. Sentences quote what libraries and servers say, so keys are taken out."""
    told = cut(one_line(_redact(sentence)), LONGEST_SENTENCE)
    return {
        "id": name,
        "kind": kind,
        "sentence": told,
        "at": datetime.fromtimestamp(at_s, tz=UTC).isoformat(timespec="seconds"),
        **{key: value for key, value in facts.items() if value is not None},
    }
