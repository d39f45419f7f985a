"""Sensors: what happens outside and makes something here stale.

Belongs here: noticing it, and asking for the assets that read it. Does not belong here: what follows from that
(`automation`), and any work on tables; runs do it.

All but `dead_runs` are off unless the definitions are built as live (`build`). A tick that asks for nothing says why.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from emovid_assets.assets.partitions import DOMAINS
from emovid_assets.assets.settings import observations
from emovid_assets.core.placing import disk_time_s
from emovid_assets.freshness import news
from emovid_assets.freshness.age_checks import AGE_CHECKS
from emovid_assets.freshness.news import ANSWER_TABLES, PREFERENCE_TABLES, answer_versions, preference_versions
from emovid_assets.freshness.runs import failed_places, first_error
from emovid_assets.freshness.staleness import VERSION_TAG
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SettingsError
from emovid_assets.orchestration.alerting import alerts, freshness_by_domain
from emovid_assets.orchestration.beside_ticks import Beside, Waiting
from emovid_assets.orchestration.dead_runs import end_dead_runs
from emovid_assets.people import server as annotation_server
from emovid_assets.people import study
from emovid_assets.people.answers import answer_files, preference_files
from emovid_assets.resources.generation.brought import BROUGHT_TAG, Brought, brought, digest_of
from emovid_assets.resources.item_store import FailedRun, ItemStore
from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError
from emovid_assets.resources.project import Project
from emovid_assets.resources.release.reading import RELEASES_TAG
from emovid_assets.resources.release.reading import digest_of as digest_of_releases

DEAD_RUNS_EVERY_S = 10
"""Two looks, a start of a code server and of the daemon's own rounds fit into half a minute."""
SETTLE_S = 4.0
"""A file that has been written more recently may still be written."""

Listing = Mapping[str, tuple[int, int]]
Answer = dg.SensorResult | dg.SkipReason
LIBRARY_TABLES = ("wanted_videos", "source_videos")
"""What is read from the library's files."""
LONGEST_PULL_S = 900.0
"""After that a server that answers no more is asked anew."""
ALERT_S, FRESHNESS_S = 60, 3600

_pulls: defaultdict[str, Beside[list[annotation_server.Pulled]]] = defaultdict(Beside)
"""By home."""


def sensors(status: dg.DefaultSensorStatus, every_s: int) -> list[dg.SensorDefinition]:
    """Every sensor. `every_s`: the least time between two looks at files; servers are asked less often."""

    def sensor(
        function: Callable[..., Any],
        assets: Iterable[str] = (),
        interval_s: int = every_s,
        status: dg.DefaultSensorStatus = status,
        checks: Iterable[dg.AssetChecksDefinition] = (),
    ) -> Any:
        selection: dg.AssetSelection | None = dg.AssetSelection.assets(*assets) if assets else None
        if checks:
            selection = dg.AssetSelection.checks(*checks)
        return dg.sensor(
            name=function.__name__.strip("_"),
            description=(function.__doc__ or "").strip().split("\n")[0],
            asset_selection=selection,
            minimum_interval_seconds=interval_s,
            default_status=status,
        )(function)

    return [
        sensor(library_files, LIBRARY_TABLES),
        sensor(annotation_files, ANSWER_TABLES),
        sensor(study_files, PREFERENCE_TABLES),
        sensor(brought_files, ("generated_videos",)),
        sensor(release_folders, ("releases",)),
        sensor(settings_file),
        sensor(label_studio_answers, interval_s=max(60, every_s)),
        # Also where nothing acts by itself: it begins nothing, and a dead run would hold its pools for a day.
        sensor(dead_runs, interval_s=min(DEAD_RUNS_EVERY_S, every_s), status=dg.DefaultSensorStatus.RUNNING),
        sensor(freshness_by_domain, interval_s=max(FRESHNESS_S, every_s), checks=AGE_CHECKS),
        sensor(alerts, interval_s=max(ALERT_S, every_s)),
        dg.run_failure_sensor(
            name="failed_runs",
            description="Remembers which asset of which domain failed, and why, for `emovid status`.",
            minimum_interval_seconds=every_s,
            default_status=status,
        )(failed_runs),
    ]


@dataclass
class _Seen:
    """What a sensor knows of the files of one place.

    `listed` at the last tick, `taken` when it last asked or had nothing to ask for, `generation` how often it asked:
    part of the run key, so that files that return to a former state are taken up again.
    """

    listed: str = ""
    taken: str = ""
    generation: int = 0


def _digest(*listings: Listing) -> str:
    text = json.dumps([sorted(one.items()) for one in listings])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _is_settled(home: Home, seen: _Seen, digest: str, listing: Listing) -> bool:
    """Two ticks alike, and nothing that has just been written."""
    if digest != seen.listed:
        return False
    newest_s = max((mtime_ns / 1e9 for _, mtime_ns in listing.values()), default=0.0)
    # A clock that is ahead must not hold a file back for ever: what lies in the future counts as old.
    return not 0 <= disk_time_s(home.root) - newest_s < SETTLE_S


def _remembered(cursor: str | None) -> dict[str, _Seen]:
    return {name: _Seen(**facts) for name, facts in json.loads(cursor or "{}").items()}


def _cursor(seen: Mapping[str, _Seen]) -> str:
    return json.dumps({name: asdict(facts) for name, facts in seen.items()}, sort_keys=True)


def library_files(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult:
    """Asks for what is read from the library, for each domain whose files are new, changed or gone."""
    remembered, requests, said = _remembered(context.cursor), [], []
    for domain in DOMAINS:
        seen = remembered.setdefault(domain, _Seen())
        tables, reason = _library_tick(project, domain, seen)
        if not tables:
            said.append(f"{domain}: {reason}")
        else:
            requests.append(
                dg.RunRequest(
                    run_key=f"{domain}-{seen.taken}-{seen.generation}",
                    partition_key=domain,
                    asset_selection=[dg.AssetKey(name) for name in tables],
                )
            )
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else "; ".join(said),
        cursor=_cursor(remembered),
    )


def _library_tick(project: Project, domain: str, seen: _Seen) -> tuple[tuple[str, ...], str]:
    """The tables to be asked for, or why none is. `seen` is brought up to date."""
    home = project.home
    library = news.library(home, domain)
    found = library.found
    digest = _digest(found.stamps)
    is_settled = digest == seen.taken or _is_settled(home, seen, digest, found.stamps)
    seen.listed = digest
    if digest == seen.taken:
        return (), "nothing new"
    if library.seems_unmounted:
        # A build by hand takes it at its word.
        folder = home.relative(home.library / domain)
        return (), f"{folder} has become empty or is gone; if that is meant, run: emovid build -d {domain}"
    if not library.changed and not seen.taken:
        # A library that was built before this sensor was switched on.
        seen.taken = digest
        return (), "as it was read"
    if not is_settled:
        return (), "files are still coming"
    if not found.media and not found.metadata:
        seen.taken = digest
        return (), "no files"
    seen.taken, seen.generation = digest, seen.generation + 1
    # Metadata says what is wanted, before there is a video that a domain could begin with.
    return (LIBRARY_TABLES if found.media else ("wanted_videos",)), ""


def annotation_files(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult:
    """Asks for the answers of each domain whose annotation files say something else than they did."""
    return _answers_tick(context, project, "annotation", answer_files(project.home), ANSWER_TABLES, answer_versions)


def study_files(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult:
    """Asks for the answers about pairs of videos of each domain whose files say something else than they did."""
    files = preference_files(project.home)
    return _answers_tick(context, project, "preference", files, PREFERENCE_TABLES, preference_versions)


def _answers_tick(
    context: dg.SensorEvaluationContext,
    project: Project,
    kind: str,
    paths: Iterable[Path],
    tables: Sequence[str],
    versions: Callable[[Home, str], dict[str, str]],
) -> dg.SensorResult:
    home = project.home
    remembered = _remembered(context.cursor)
    seen = remembered.setdefault(f"{kind}s", _Seen())
    files = {home.relative(path): _stamp(path.stat()) for path in paths}
    digest = _digest(files)
    is_settled = digest == seen.taken or _is_settled(home, seen, digest, files)
    seen.listed = digest
    if digest == seen.taken:
        return dg.SensorResult(skip_reason="nothing new", cursor=_cursor(remembered))
    if not files and any(project.warehouse.row_count(tables[0], domain) for domain in DOMAINS):
        # An unmounted disk looks like this; a build by hand takes it at its word.
        said = f"no {kind} files any more; if that is meant, run: emovid build --select 'key:{tables[0]}+'"
        return dg.SensorResult(skip_reason=said, cursor=_cursor(remembered))
    if not is_settled:
        return dg.SensorResult(skip_reason="files are still coming", cursor=_cursor(remembered))
    try:
        changed = [domain for domain in DOMAINS if _answers_changed(context.instance, domain, versions(home, domain))]
    except SettingsError as error:
        return dg.SensorResult(skip_reason=str(error), cursor=_cursor(remembered))
    seen.taken = digest
    if not changed:
        return dg.SensorResult(skip_reason="the files say nothing new", cursor=_cursor(remembered))
    seen.generation += 1
    keys = [dg.AssetKey(name) for name in tables]
    requests = [
        dg.RunRequest(run_key=f"{domain}-{digest}-{seen.generation}", partition_key=domain, asset_selection=keys)
        for domain in changed
    ]
    return dg.SensorResult(run_requests=requests, cursor=_cursor(remembered))


def brought_files(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult:
    """Asks for generated videos where characters, or videos of generators that ran elsewhere, are new or others."""
    home = project.home
    remembered = _remembered(context.cursor)
    seen = remembered.setdefault("brought", _Seen())
    found = brought(home)
    digest = _digest(found.stamps)
    is_settled = digest == seen.taken or _is_settled(home, seen, digest, found.stamps)
    seen.listed = digest
    if digest == seen.taken:
        return dg.SensorResult(skip_reason="nothing new", cursor=_cursor(remembered))
    changed = [domain for domain in DOMAINS if _brought_changed(context.instance, found, domain)]
    if changed and not found.stamps:
        # An unmounted disk looks like this; a build by hand takes it at its word.
        said = "no brought videos any more; if that is meant, run: emovid build --select 'key:generated_videos+'"
        return dg.SensorResult(skip_reason=said, cursor=_cursor(remembered))
    if not is_settled:
        return dg.SensorResult(skip_reason="files are still coming", cursor=_cursor(remembered))
    seen.taken = digest
    if not changed:
        return dg.SensorResult(skip_reason="as it was read", cursor=_cursor(remembered))
    seen.generation += 1
    keys = [dg.AssetKey("generated_videos")]
    requests = [
        dg.RunRequest(run_key=f"{domain}-{digest}-{seen.generation}", partition_key=domain, asset_selection=keys)
        for domain in changed
    ]
    return dg.SensorResult(run_requests=requests, cursor=_cursor(remembered))


def _brought_changed(instance: dg.DagsterInstance, found: Brought, domain: str) -> bool:
    """Whether the last table was made from other files. Never built: that is for automation, once there are clips."""
    tags = _last_tags(instance, "generated_videos", domain)
    return tags is not None and tags.get(BROUGHT_TAG) != digest_of(found, domain)


def release_folders(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult:
    """Asks for the table of the releases where one has come or gone."""
    seen = _Seen(**json.loads(context.cursor or "{}"))
    digest = digest_of_releases(project.home.releases)
    if digest == seen.taken:
        return dg.SensorResult(skip_reason="nothing new", cursor=context.cursor)
    tags = _last_tags(context.instance, "releases")
    # Never built: that is for automation, once there is a split.
    is_read = tags is None or tags.get(RELEASES_TAG) == digest
    # A release comes under its name whole, so nothing is waited for.
    now = _Seen(digest, digest, seen.generation + (not is_read))
    cursor = json.dumps(asdict(now), sort_keys=True)
    if is_read:
        return dg.SensorResult(skip_reason="as it was read", cursor=cursor)
    request = dg.RunRequest(run_key=f"{digest}-{now.generation}", asset_selection=[dg.AssetKey("releases")])
    return dg.SensorResult(run_requests=[request], cursor=cursor)


def _last_tags(instance: dg.DagsterInstance, asset: str, domain: str | None = None) -> Mapping[str, str] | None:
    """Of the last materialisation; null where there is none."""
    partitions = None if domain is None else [domain]
    filters = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=partitions)
    made = instance.fetch_materializations(filters, limit=1).records
    materialization = made[0].asset_materialization if made else None
    return None if materialization is None else materialization.tags or {}


def _stamp(status: Any) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _answers_changed(instance: dg.DagsterInstance, domain: str, now: Mapping[str, str]) -> bool:
    """Whether a table of answers would be another one. Never built: that is for automation, once there are clips."""
    made = {name: _last_tags(instance, name, domain) for name in now}
    return any(tags is not None and tags.get(VERSION_TAG) != now[name] for name, tags in made.items())


def settings_file(context: dg.SensorEvaluationContext, project: Project) -> Answer:
    """Observes each group of settings whose values in `emovid.toml` have changed. Asks for no run."""
    known: dict[str, str] = json.loads(context.cursor or "{}")
    try:
        changed = observations(project.home, known)
    except SettingsError as error:
        return dg.SkipReason(str(error))
    if not changed:
        return dg.SkipReason("nothing new")
    digests = {group: str(observation.data_version) for group, observation in changed.items()}
    return dg.SensorResult(asset_events=list(changed.values()), cursor=json.dumps(known | digests, sort_keys=True))


def label_studio_answers(context: dg.SensorEvaluationContext, project: Project) -> dg.SkipReason:
    """Pulls answers from Label Studio into the library, where the sensor of the annotation files finds them."""
    home = project.home
    try:
        # The server is asked beside the tick: one that hangs holds nobody up.
        pulled = _pulls[str(home.root)].tick(lambda: _pull_all(home), LONGEST_PULL_S)
    except (LabelStudioError, SettingsError) as error:
        return dg.SkipReason(str(error))
    if isinstance(pulled, Waiting):
        return dg.SkipReason(f"Label Studio: {pulled.sentence}")
    changed = [one.report.path for one in pulled if one.is_changed]
    return dg.SkipReason(f"New answers: {', '.join(changed)}" if changed else "Label Studio has no new answers.")


def _pull_all(home: Home) -> list[annotation_server.Pulled]:
    server = LabelStudio.of(home)
    return [*annotation_server.pull(home, server), *study.pull(home, server)]


def dead_runs(context: dg.SensorEvaluationContext, project: Project) -> dg.SkipReason:
    """Ends runs whose process has died together with the code server that would have reported it."""
    return dg.SkipReason("\n".join(end_dead_runs(context.instance, project.home)) or "every run has its process")


def failed_runs(context: dg.RunFailureSensorContext, project: Project) -> None:
    """Notes a failed run at each asset at which it failed."""
    run, now = context.dagster_run, datetime.now(UTC)
    errors = {event.step_key or "": first_error(event) for event in context.get_step_failure_events()}
    for place in failed_places(context.instance, run.run_id):
        error = errors.get(place.asset)
        if error is not None or not errors:
            sentence = error or str(context.failure_event.message)
            failed = FailedRun(run.run_id, place.asset, place.domain, run.job_name, sentence, now)
            project.with_store(partial(_note, failed))
            if error is None:
                # The run ended from outside: where it was, not everything that it never came to.
                return


def _note(failed: FailedRun, store: ItemStore) -> None:
    store.note_failed_run(failed)
