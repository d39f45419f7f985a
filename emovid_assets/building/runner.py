"""Materialises the graph in this process, through Dagster, stage by stage.

Belongs here: what is built, in which rounds, and what is told of each result. Runs are recorded in the same instance
that the UI shows. Does not belong here: what is stale (`freshness`), how anything is printed (`terminal`).

A run of one domain cannot hold an asset of all domains: so the graph is walked in rounds, first what needs
no such asset, for one domain after another, then the unpartitioned ones, and so on.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any, Literal

import dagster as dg

from emovid_assets.assets.settings import observe
from emovid_assets.assets.table_asset import rows_told
from emovid_assets.building.launched import name_code_location, terminal_tags
from emovid_assets.core import side_files
from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.dagster_records import records_of
from emovid_assets.freshness.kept import Kept
from emovid_assets.freshness.needs import current_verdicts, failed, noted_failures, quarantined_counts, with_items
from emovid_assets.freshness.runs import failed_places, first_error
from emovid_assets.freshness.sqlite_records import records_in
from emovid_assets.freshness.staleness import Lineage, Place, Records, Walk
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.orchestration.connections import keep_connections
from emovid_assets.orchestration.damage import opening_told
from emovid_assets.orchestration.damage import told as damage_told
from emovid_assets.orchestration.dead_runs import end_dead_runs
from emovid_assets.orchestration.instance import (
    instance_folder,
    is_of_a_person,
    opening,
    own_instance_folder,
    reading_folder,
)
from emovid_assets.orchestration.run_lock import listener
from emovid_assets.orchestration.tidying import tidy_after_build
from emovid_assets.resources.item_store import FailedRun, ItemStore
from emovid_assets.resources.project import Project
from emovid_assets.resources.refreshing import held_back
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.resources.workers import kept_alive
from emovid_assets.tables.registry import TABLES

PARTS = ("compute_log_manager", "run_coordinator", "run_launcher", "scheduler")
"""Of an instance, which `dagster.yaml` may name."""
Scope = Literal["needed", "everything", "failed"]


@dataclass(frozen=True)
class AssetReport:
    """One materialisation, with the metadata that a person at a terminal wants."""

    asset: str
    domain: str | None
    rows: int | None
    computed: int | None
    quarantined: int | None
    missing: str | None
    side_files: str = ""
    damaged_sound_tracks: int = 0
    what_was_done: str = ""


@dataclass(frozen=True)
class CheckReport:
    """A check that did not pass."""

    asset: str
    check: str
    domain: str | None
    is_error: bool
    details: str


@dataclass
class StageReport:
    """One run: a domain or the unpartitioned assets. `error` is null where the run succeeded."""

    run_id: str
    domain: str | None
    assets: list[AssetReport] = field(default_factory=list)
    failed_checks: list[CheckReport] = field(default_factory=list)
    error: str | None = None


def open_instance(home: Home) -> dg.DagsterInstance:
    """The Dagster instance of a home; `DAGSTER_HOME` is set for this process and its children.

    Raises InstanceError, or ValueError where the environment names a folder that is none.
    """
    os.environ["DAGSTER_HOME"] = str(instance_folder(home.root))
    keep_connections()
    with opening_told(home.root), opening(home.root):
        instance = dg.DagsterInstance.get()
        if is_of_a_person(home.root):
            # Loaded where they are first needed, in the middle of a build or of the UI's start.
            for part in PARTS:
                getattr(instance, part)
        return instance


def open_instance_to_read(home: Home) -> dg.DagsterInstance:
    """The same, to look at: where the home may not be written, or has none yet, a copy of its records."""
    if home.is_writable and (home.root / "dagster").exists():
        return open_instance(home)
    with opening_told(home.root):
        os.environ["DAGSTER_HOME"] = str(reading_folder(home.root))
        return dg.DagsterInstance.get()


def selected(definitions: dg.Definitions, selection: str | None) -> set[str]:
    """The assets that can be built, of those that are chosen.

    Raises ValueError where the selection is not understood or selects nothing.
    """
    graph = definitions.resolve_asset_graph()
    known = ", ".join(sorted(key.to_user_string() for key in graph.materializable_asset_keys))
    try:
        chosen = dg.AssetSelection.from_string(selection) if selection else dg.AssetSelection.all()
        # Settings are in the graph, but nothing is run for them.
        names = {key.to_user_string() for key in chosen.resolve(graph) if graph.get(key).is_materializable}
    except Exception as error:
        raise ValueError(f"--select '{selection}': {error}\nAssets: {known}") from error
    if not names:
        raise ValueError(f"--select '{selection}' selects no asset\nAssets: {known}")
    return names


def build(
    home: Home,
    *,
    domains: Sequence[str] = DOMAINS,
    selection: str | None = None,
    retry_quarantined: bool = False,
    scope: Scope = "needed",
    told: Callable[[str], None] = lambda sentence: None,
) -> Iterator[StageReport]:
    """Builds of the selected assets what is missing or stale, and what follows from it where its results come out
    different, yielding a report per run. A failed domain does not stop the others.

    A run waits until no other run, of a terminal or of a daemon, builds what it does (`orchestration.run_lock`); `told`
    is given a sentence then, and one for each run that had died.

    `scope`: `everything` builds what is fresh too; `failed` only what has failed or has quarantined items, which are
    then tried again, and what follows. `retry_quarantined`: also what has quarantined items, which are tried again.

    Raises ValueError for a selection that is not understood, SettingsError for a faulty settings file, InstanceError.
    """
    home.settings()
    retries = retry_quarantined or scope == "failed"
    project = Project(
        home_folder=str(home.root),
        retry_quarantined=retries,
        may_forget_domains=set(domains) != set(DOMAINS),
    )
    definitions = build_defs(resource_overrides={"project": project})
    names = selected(definitions, selection)
    lineage = Lineage.of(definitions.resolve_asset_graph())
    kept = Kept(home)
    kept.lineage = lineage
    job = definitions.resolve_implicit_global_asset_job_def()
    # Before the instance is opened, which says in the environment where it is.
    folder = own_instance_folder(home.root)
    with damage_told(home.root), open_instance(home) as instance, kept_alive(), held_back(home.root):
        name_code_location(instance)
        observe(instance, home)
        for sentence in end_dead_runs(instance, home):
            told(sentence)
        run_count = 0

        def remembered() -> Records:
            noted = noted_failures(home)
            found = records_in(folder, lineage, noted) if folder else None
            return found or records_of(instance, lineage, noted)

        for places in _rounds(home, lineage, kept, remembered, names, domains, scope, retries):
            for domain in (*domains, None):
                keys = [dg.AssetKey(place.asset) for place in places if place.domain == domain]
                if not keys:
                    continue
                report = _run(job, instance, keys, domain, told)
                run_count += 1
                if report.error:
                    _note_failure(project, instance, report)
                yield report
        if run_count:
            tidy_after_build(instance, home.settings().history, told)


def _rounds(
    home: Home,
    lineage: Lineage,
    kept: Kept,
    remembered: Callable[[], Records],
    names: set[str],
    domains: Sequence[str],
    scope: Scope,
    retries: bool,
) -> Iterator[list[Place]]:
    """Places that can be built beside each other, a run per domain, again and again: each time what may be built now,
    until nothing is left but what has failed."""
    warehouse = Warehouse(home.warehouse)
    wanted: set[Place] = set()
    reached: set[Place] | None = None
    tried: dict[Place, str] = {}
    begun: list[Place] = []
    for is_first in chain([True], repeat(False)):
        records = remembered()
        found = current_verdicts(home, lineage, records, kept)
        kept.save()
        # By what the runs of the last round were given: what failed there is not tried again for the same.
        tried |= {place: found[place].inputs for place in begun}
        needs = {place for place, verdict in found.items() if not verdict.is_fresh}
        if is_first:
            if scope == "everything":
                wanted = set(found)
            elif scope == "failed":
                wanted = failed(home, records, domains)
                reached = _with_all_below(lineage, wanted)
            elif retries:
                wanted = set(quarantined_counts(home, domains))
            # Counted at the beginning, and not again in the same build: what items and what looks back may come to no
            # end. They are wanted until they have been begun: what they wait for may come out as it was.
            with_missing = with_items(home, lineage, found, kept, domains)
            once = {place for place, verdict in found.items() if verdict.looks_back_at}
            once |= {place for place, verdict in found.items() if verdict.is_fresh and not with_missing[place].is_fresh}
            wanted |= once if reached is None else once & reached
        needs = (needs if reached is None else needs & reached) | (wanted - set(tried))
        needs = {
            place
            for place in needs
            if place.asset in names and place.domain in (None, *domains) and tried.get(place) != found[place].inputs
        }
        # What nobody has selected is not about to come: a run says what is missing.
        there = {
            place
            for place, verdict in found.items()
            if not verdict.is_missing or place.asset not in names or _is_there(warehouse, place)
        }
        walk = Walk(lineage, there, set())
        begun = [place for name in lineage.names if name in names for place in walk.started(name, needs)]
        begun = [place for place in begun if place.domain in (None, *domains)]
        if not begun:
            return
        yield begun


def _with_all_below(lineage: Lineage, places: set[Place]) -> set[Place]:
    reached = set(places)
    for place in lineage.places():
        if any(one in reached for one in lineage.all_parents(place)):
            reached.add(place)
    return reached


def _is_there(warehouse: Warehouse, place: Place) -> bool:
    """Whether its table is, though Dagster may have forgotten it: homes are copied without its state."""
    return place.asset in TABLES and warehouse.exists(place.asset, place.domain)


def _note_failure(project: Project, instance: dg.DagsterInstance, report: StageReport) -> None:
    """For `emovid status`, as the sensor does where a daemon runs."""
    step, _, sentence = str(report.error).partition(": ")
    for place in failed_places(instance, report.run_id):
        if place.asset == step:
            failure = FailedRun(report.run_id, place.asset, place.domain, "emovid build", sentence, datetime.now(UTC))

            def note(store: ItemStore, failure: FailedRun = failure) -> None:
                store.note_failed_run(failure)

            project.with_store(note)


def _run(
    job: Any,
    instance: dg.DagsterInstance,
    keys: list[dg.AssetKey],
    domain: str | None,
    told: Callable[[str], None],
) -> StageReport:
    token = listener.set(told)
    try:
        result = job.execute_in_process(
            instance=instance,
            partition_key=domain,
            asset_selection=keys,
            raise_on_error=False,
            tags=terminal_tags(),
            # The terminal gets reports, not the event stream; the event log has everything.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    finally:
        listener.reset(token)
    if any(_is_interruption(event) for event in result.all_events):
        # Dagster notes Ctrl-C in the run and goes on; whoever pressed it meant all runs.
        raise KeyboardInterrupt
    report = StageReport(result.run_id, domain)
    for materialization in (event.materialization for event in result.get_asset_materialization_events()):
        report.assets.append(_asset_report(materialization, domain))
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed:
            details = ", ".join(f"{name} {_short(_plain(value))}" for name, value in evaluation.metadata.items())
            is_error = evaluation.severity == dg.AssetCheckSeverity.ERROR
            report.failed_checks.append(
                CheckReport(evaluation.asset_key.to_user_string(), evaluation.check_name, domain, is_error, details)
            )
    if not result.success:
        report.error = _error(result)
    return report


def _is_interruption(event: dg.DagsterEvent) -> bool:
    if event.event_type != dg.DagsterEventType.RUN_FAILURE:
        return False
    reason = event.job_failure_data.failure_reason
    return reason is not None and reason.value == "UNEXPECTED_TERMINATION"


def _asset_report(materialization: Any, domain: str | None) -> AssetReport:
    metadata = {name: _plain(value) for name, value in materialization.metadata.items()}
    return AssetReport(
        asset=materialization.asset_key.to_user_string(),
        domain=domain,
        rows=rows_told(metadata),
        computed=metadata.get("computed_items"),
        quarantined=metadata.get("quarantined"),
        missing=metadata.get("missing"),
        side_files=side_files.told(metadata.get("side_files") or {}),
        damaged_sound_tracks=metadata.get("damaged_sound_tracks") or 0,
        what_was_done=metadata.get("what_was_done") or "",
    )


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _error(result: Any) -> str:
    """The innermost message of the first failed step, without the frames in between."""
    for event in result.all_events:
        if event.is_step_failure:
            return f"{event.step_key}: {first_error(event)}"
    return "the run ended before its first step; its log is in the UI"
