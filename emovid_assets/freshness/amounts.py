"""How many items the steps of a domain would compute, by the keys that the steps themselves use.

Belongs here: walking the steps of a domain without running them, and estimates. Does not belong here: what is stale
(`staleness`), what an item is (`resources`).

Where the items of a step hang on results that are not there yet, their number is an estimate by what the domain holds
now, and is marked as one; where the domain holds nothing to go by, there is no number.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import pyarrow as pa

from emovid_assets.assets.training_clips import compared_clips, pool_of
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.identity import source_id, source_of
from emovid_assets.core.labelling import NotEnoughLabelsError
from emovid_assets.core.model_place import ModelNotUsableError, find_model
from emovid_assets.core.vlm.prompts import PromptError
from emovid_assets.core.vlm.training_set import Example
from emovid_assets.freshness.kept import Kept
from emovid_assets.freshness.news import LIBRARY_REASONS
from emovid_assets.freshness.staleness import Lineage, Place, Verdict, changing
from emovid_assets.home.folders import Home
from emovid_assets.resources import media, models, training, vlm
from emovid_assets.resources.compute import BatchStep, Count, Item, Outcome, Step, count
from emovid_assets.resources.embeddings import embed
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.generation import generators, imported, scoring_counts
from emovid_assets.resources.generation.stage import OF_BENCHMARK, run_and_read, stage_of
from emovid_assets.resources.item_store import ItemStore, stamp_of
from emovid_assets.resources.library import known_and_new
from emovid_assets.resources.tuning import adapters, trainings
from emovid_assets.resources.warehouse import OtherVersionError
from emovid_assets.resources.workplace import PlainWorkplace, Workplace
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.registry import TABLES

_LOG = logging.getLogger("emovid.plan")
OF_MEDIA = {
    "source_videos": "probe",
    "scanned_segments": "scan",
    "clip_media": "clip_file",
    "clip_fingerprints": "fingerprint",
    "benchmark_split": "first_frame",
}
"""Assets whose items are media, and the step of each."""
Rows = list[dict[str, Any]]
Payloads = Mapping[str, dict[str, Any]]
FEW = 200
"""Payloads that are looked up one by one rather than read with all of their domain."""


@dataclass(frozen=True)
class Amount:
    """Items of a step. `items` is null where nobody can say; `weight` is that of the items, 0 where it is not known.
    `seconds`: how long they take, where more is known than the rate of the step. `coming`: how many of the items are
    not there yet, but may follow from what is built before.

    `finished`: payloads of the items that are done under the present settings, read when they are asked for.
    """

    step: str
    items: int | None
    weight: float = 0.0
    is_estimate: bool = False
    finished: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    seconds: float | None = None
    coming: int = 0

    @property
    def known_items(self) -> int:
        """Of the items those that are there to be computed, whatever is built before."""
        return (self.items or 0) - self.coming


class CountingProject(PlainWorkplace, scoring_counts.Counting):
    """A project whose steps count instead of computing. What is finished is there to be read."""

    def __init__(self, home_folder: str) -> None:
        super().__init__(home_folder)
        self._counts: dict[str, Count] = {}

    def read(self, table: str, domain: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """As a project does; a table of another version, which is built anew, says nothing."""
        try:
            return super().read(table, domain, columns)
        except OtherVersionError:
            empty = TABLES[table].empty()
            return empty if columns is None else empty.select(list(columns))

    def with_store(self, use: Callable[[ItemStore], Any]) -> Any:
        """As a project does, of a home that may not be written too."""
        with closing(ItemStore.to_read(self.home.state)) as store:
            return use(store)

    def compute(
        self,
        step: Step | BatchStep,
        domain: str,
        items: Iterable[Item],
        log: logging.Logger,
        *,
        leave_failures: bool = False,
        keep_others: bool = False,
        never_asked: Collection[str] = (),
    ) -> Outcome:
        limits = self.settings.media
        found: Count = self.with_store(
            lambda store: count(
                store,
                step,
                domain,
                items,
                home=self.home.root,
                timeout_s=limits.timeout_s,
                memory_mb=limits.memory_mb,
                leave_failures=leave_failures,
            )
        )
        self._counts[step.name] = found
        return Outcome(found.payloads)

    def counted(self, step: str) -> Count:
        return self._counts[step]


def amounts_of(
    home: Home, lineage: Lineage, found: Mapping[Place, Verdict], domains: Sequence[str], kept: Kept
) -> dict[Place, Amount]:
    """The amount of each place that computes items. `found` must say of every file that items have made whether it is
    whole (`needs.with_made_files`)."""
    open_places = changing(lineage, found)
    amounts: dict[Place, Amount] = {}
    for domain in domains:
        outdated = {place.asset for place in open_places if place.domain == domain}
        counted = item_counts(
            home, domain, outdated, _saying_what_items_say(found, domain), _known(found, domain, kept)
        )
        amounts |= {Place(asset, domain): amount for asset, amount in counted.items()}
    labeller = Place("emotion_labeller", None)
    is_open = any(one in open_places for one in lineage.all_parents(labeller))
    if amount := labeller_amount(home, is_open=is_open):
        amounts[labeller] = amount
    adapters = Place("generator_adapters", None)
    if amount := adapters_amount(home, is_open=any(one in open_places for one in lineage.all_parents(adapters))):
        amounts[adapters] = amount
    return amounts


def item_counts(
    home: Home, domain: str, outdated: set[str], true_tables: Collection[str] = (), kept: Kept | None = None
) -> dict[str, Amount]:
    """The amount of each asset that computes items. `outdated`: assets of the domain that may come out different.

    `true_tables`: of `source_videos` and `scanned_segments` those whose rows say what the items say that they were made
    from. They are read in place of the payloads, which takes a tenth of the time.
    """
    return _Domain(home, domain, outdated, true_tables).amounts(kept)


def _known(found: Mapping[Place, Verdict], domain: str, kept: Kept) -> Kept | None:
    """What an earlier look has kept, where it may say that no medium is left to be read: library, files and tables are
    what was recorded of them."""
    verdicts = [found.get(Place(asset, domain)) for asset in OF_MEDIA]
    return kept if all(one is not None and one.is_fresh for one in verdicts) else None


def _saying_what_items_say(found: Mapping[Place, Verdict], domain: str) -> set[str]:
    """Tables whose rows are what the payloads of finished items would give now: code and settings are those under which
    they were made, and nothing is the matter with the file. A library that has changed has other files beside them;
    what was read of the same bytes is the same."""
    sources = found.get(Place("source_videos", domain))
    if sources is None or sources.made is None or not set(sources.reasons) <= LIBRARY_REASONS:
        return set()
    segments = found.get(Place("scanned_segments", domain))
    is_scan_true = segments is not None and segments.is_fresh
    return {"source_videos", "scanned_segments"} if is_scan_true else {"source_videos"}


def labeller_amount(home: Home, *, is_open: bool) -> Amount | None:
    """What making `emotion_labeller` asks a model, over all domains: the clips that it is measured or compared on. Null
    where no model is asked. How long a training takes that is due, nobody can say.

    `is_open`: whether what it is made from may come out different.
    """
    project = CountingProject(home_folder=str(home.root))
    settings = project.settings.labeller
    if settings.backend == "embedded":
        return None
    step, tables = training.HELD_OUT_STEP, _clip_tables(project, None)
    tasks, answers, labels = (project.read(name) for name in ("annotation_tasks", "human_annotations", "human_labels"))
    pool = pool_of(project, "emotion_labeller", tables, tasks, answers, labels, project.read("clip_groups"))
    try:
        model = vlm.model_of(home, settings, "labeller")
        examples = training.examples_of(project, pool, tables)
        if is_open and not examples:
            # Human labels may be about to come in.
            return Amount(step, None, is_estimate=True)
        due = _training(project, model, examples)
        if due is None:
            training.measured(project, model, examples, tables, _LOG)
        elif due.folder.exists():
            step = training.ZERO_SHOT_STEP
            training.scored(project, model, compared_clips(tasks, answers), tables, _LOG, step=step)
        else:
            return Amount("fine_tune", None, is_estimate=True)
    except (ModelNotUsableError, PromptError):
        return Amount(step, None, is_estimate=True)
    found = project.counted(step)
    return Amount(step, len(found.todo_ids), is_estimate=is_open, finished=found.payloads)


def adapters_amount(home: Home, *, is_open: bool) -> Amount | None:
    """The steps that adapters of generators are trained for at most, of what is known now; null where none is asked
    for. How long a step takes is known once one was trained."""
    project = CountingProject(home_folder=str(home.root))
    if not project.settings.tuning.adapters:
        return None
    left = adapters.left(project)
    # Clips may be about to come in.
    steps = None if is_open and not left.steps else left.steps
    return Amount(trainings.STEP, steps, is_estimate=is_open or not left.is_known, seconds=left.seconds)


def _training(project: Workplace, model: vlm.Model, examples: Sequence[Example]) -> training.Training | None:
    if not project.settings.labeller.learns:
        return None
    try:
        return training.training_of(project, model.place, examples)
    except NotEnoughLabelsError:
        return None


def _clip_tables(project: Workplace, domain: str | None) -> ClipTables:
    return ClipTables(*(project.read(one.name, domain) for one in fields(ClipTables)))


class _Domain:
    def __init__(self, home: Home, domain: str, outdated: set[str], true_tables: Collection[str]) -> None:
        self._project = CountingProject(home_folder=str(home.root))
        self._home, self._domain, self._outdated, self._true_tables = home, domain, outdated, true_tables
        self._new_sources = 0
        self._changed_sources: set[str] = set()

    @cached_property
    def _clips_of(self) -> Counter[str]:
        return Counter(self._column("clips", "source_id"))

    def amounts(self, kept: Kept | None) -> dict[str, Amount]:
        is_done = kept is not None and kept.version(
            f"items/{self._domain}",
            self._depends_on(),
            lambda: all(amount.items == 0 for amount in self._of_media.values()),
        )
        amounts = {asset: Amount(step, 0) for asset, step in OF_MEDIA.items()} if is_done else self._of_media
        found = {
            "clip_embeddings": self._embeddings(),
            "captions": self._captions(),
            "vlm_labels": self._labels(),
            "generated_videos": self._generated(),
            "generation_features": self._of_videos(scoring_counts.features),
            "generation_scores": self._of_videos(scoring_counts.labels),
        }
        return amounts | {asset: amount for asset, amount in found.items() if amount is not None}

    def _depends_on(self) -> object:
        """What the number of items hangs on where the library and the files that items have made are as recorded."""
        tables = [self._project.warehouse.state(name, self._domain) for name in ("clips", *OF_MEDIA)]
        return self._home.settings(), stamp_of(self._home.state), tables, sorted(self._true_tables)

    @cached_property
    def _of_media(self) -> dict[str, Amount]:
        sources = self._sources()
        probed = self._project.counted("probe")
        scanned = media.scan(self._project, self._domain, sources, _LOG)
        scan = self._project.counted("scan")
        # An older version's table says too little of them to be scanned by: what is probed again is read again.
        unread = set(probed.todo_ids) - {source["source_id"] for source in sources}
        self._changed_sources = set(scan.todo_ids) | unread
        media.clip_files(self._project, self._domain, sources, self._kept_segments(scanned.payloads), _LOG)
        written = self._project.counted("clip_file")
        is_open = bool(self._new_sources)
        return {
            "source_videos": Amount(
                "probe", len(probed.todo_ids) + self._new_sources, 0.0 if is_open else probed.todo_weight
            ),
            "scanned_segments": Amount(
                "scan",
                len(scan.todo_ids) + len(unread) + self._new_sources,
                0.0 if is_open or unread else scan.todo_weight,
                is_open or bool(unread),
            ),
            "clip_media": self._with_coming("clip_file", written),
            "clip_fingerprints": self._fingerprints(),
            "benchmark_split": self._first_frames(),
        }

    def _sources(self) -> Rows:
        """Rows as the scan needs them: of what is probed, else of the table as it is."""
        files, self._new_sources = self._project.with_store(
            lambda store: known_and_new(self._home, self._domain, store)
        )
        by_id = {source_id(self._domain, file.sha256): file for file in files}
        facts = media.probe(self._project, self._domain, by_id, _LOG).payloads
        table = rows_of(self._project.read("source_videos", self._domain), media.FOR_SCAN)
        rows = {row["source_id"]: row for row in table if row["source_id"] in by_id}
        unread = rows.keys() if "source_videos" in self._true_tables else ()
        for name, payload in _some(facts, facts.keys() - unread):
            # `trim_s` is of the manifest, which only the table knows here.
            end = {"trim_s": rows[name]["trim_s"] if name in rows else None}
            rows[name] = {"source_id": name, "domain": self._domain} | end | payload
        for name, row in rows.items():
            row |= {"path": by_id[name].path, "sha256": by_id[name].sha256}
        return list(rows.values())

    def _kept_segments(self, payloads: Payloads) -> Iterator[tuple[str, dict[str, Any]]]:
        """(clip_id, segment) of the kept segments of the sources that are scanned."""
        rows: Rows = []
        if "scanned_segments" in self._true_tables:
            columns = ("clip_id", "source_id", "is_kept", *media.PLACE)
            rows = rows_of(self._project.read("scanned_segments", self._domain), columns)
        known = {row["source_id"] for row in rows}
        for row in rows:
            if row["is_kept"] and row["source_id"] in payloads:
                yield row["clip_id"], row
        yield from _kept(_some(payloads, payloads.keys() - known))

    def _with_coming(self, step: str, found: Count) -> Amount:
        """What is known to be left, and what the clips of sources that are new or cut anew may add."""
        coming = self._coming_clips()
        if coming == 0:
            return Amount(step, len(found.todo_ids), found.todo_weight, finished=found.payloads)
        # Clips of a source that is cut anew are in `coming`, whether the tables still have them or not.
        left = sum(source_of(clip_id) not in self._changed_sources for clip_id in found.todo_ids)
        items = None if coming is None else left + coming
        return Amount(step, items, is_estimate=True, finished=found.payloads, coming=coming or 0)

    def _coming_clips(self) -> int | None:
        """Clips whose content is not known yet, as many as these sources have now, or as a source has on average."""
        again = sum(self._clips_of[name] for name in self._changed_sources)
        unknown = self._new_sources + sum(name not in self._clips_of for name in self._changed_sources)
        if not unknown:
            return again
        if not self._clips_of:
            # A file that is not cut is one clip; how many scenes a film has, nobody knows.
            return None if self._domain == "movie" else unknown
        average = self._clips_of.total() / len(self._clips_of)
        return again + round(unknown * average)

    def _fingerprints(self) -> Amount:
        """Of the clip files as they are."""
        rows = rows_of(self._project.read("clip_media", self._domain), media.FOR_FINGERPRINTS)
        media.fingerprints(self._project, self._domain, rows, _LOG)
        return self._with_coming("fingerprint", self._project.counted("fingerprint"))

    def _first_frames(self) -> Amount:
        """Of the benchmark as it stands; a new one may choose as many clips as its cells still lack."""
        split = rows_of(self._project.read("benchmark_split", self._domain), ["clip_id", "emotion", "split"])
        chosen = {row["clip_id"] for row in split if row["split"] == "benchmark"}
        files = rows_of(self._project.read("clip_media", self._domain)) if chosen else []
        rows = [row for row in files if row["clip_id"] in chosen]
        media.first_frames(self._project, self._domain, rows, _LOG)
        found = self._project.counted("first_frame")
        if "benchmark_split" not in self._outdated:
            return Amount("first_frame", len(found.todo_ids), found.todo_weight)
        per_cell = self._project.settings.benchmark.per_cell
        cells = Counter(row["emotion"] for row in split if row["split"] == "benchmark")
        others = Counter(row["emotion"] for row in split if row["split"] != "benchmark")
        lacking = sum(min(max(0, per_cell - cells[name]), others[name]) for name in EMOTION_NAMES)
        return Amount("first_frame", len(found.todo_ids) + lacking, is_estimate=True, coming=lacking)

    def _embeddings(self) -> Amount | None:
        """Of the clips as they are; null where embeddings are measured, not computed by a model."""
        settings = self._project.settings.embeddings
        if settings.model == "embedded":
            return None
        try:
            place = find_model(settings.model, self._home.root, settings.revision)
        except ModelNotUsableError:
            return Amount("embed", None, is_estimate=True)
        stamps = dict(
            zip(
                self._column("clip_features", "clip_id"),
                self._column("clip_features", "sampled_pts_s"),
                strict=True,
            )
        )
        embed(self._project, self._domain, place, rows_of(self._project.read("clip_media", self._domain)), stamps, _LOG)
        return self._with_coming("embed", self._project.counted("embed"))

    def _captions(self) -> Amount | None:
        """Of the clips as they are; null where captions are measured."""
        if self._project.settings.captioner.backend == "embedded":
            return None
        try:
            models.caption(self._project, self._domain, _clip_tables(self._project, self._domain), _LOG)
        except (ModelNotUsableError, PromptError):
            return Amount("caption", None, is_estimate=True)
        return self._with_coming("caption", self._project.counted("caption"))

    def _labels(self) -> Amount | None:
        """By the labeller that there is; one that may be trained anew answers for every clip, at most."""
        if self._project.settings.labeller.backend == "embedded":
            return None
        labellers = rows_of(self._project.read("emotion_labeller"))
        every_clip = Amount("label", len(self._column("clip_media", "clip_id")), is_estimate=True)
        if not labellers or (labellers[0]["kind"] == "fine_tuned" and "vlm_labels" in self._outdated):
            return every_clip
        try:
            models.label(self._project, self._domain, labellers[0], _clip_tables(self._project, self._domain), _LOG)
        except models.LabellerOutOfDateError:
            return every_clip
        except (ModelNotUsableError, PromptError):
            return Amount("label", None, is_estimate=True)
        return self._with_coming("label", self._project.counted("label"))

    def _of_videos(
        self, counted: Callable[[CountingProject, str, Rows], scoring_counts.Counted | None]
    ) -> Amount | None:
        """Of the generated videos as they are; null where there are none."""
        videos = rows_of(self._project.read("generated_videos", self._domain))
        found = counted(self._project, self._domain, videos) if videos else None
        if found is None:
            return None
        return Amount(*found, is_estimate=found.items is None or "generated_videos" in self._outdated)

    def _generated(self) -> Amount | None:
        """Of the benchmark as it stands; null where no generator is named and no video was brought."""

        def rows(domain: str) -> Rows:
            return rows_of(self._project.read("benchmark_split", domain), OF_BENCHMARK)

        others = (rows(domain) for domain in DOMAINS if domain != self._domain)
        stage = stage_of(self._project, self._domain, rows(self._domain), lambda: others, reads=False)
        if not (stage.items or stage.imported_items):
            return None
        run_and_read(self._project, stage, _LOG)
        made, read = self._project.counted(generators.STEP), self._project.counted(imported.STEP)
        todo = [stage.wanted[name][1] for name in made.todo_ids]
        return Amount(
            generators.STEP if stage.items else imported.STEP,
            len(made.todo_ids) + len(read.todo_ids),
            made.todo_weight if stage.items else read.todo_weight,
            is_estimate=stage.is_estimate or "benchmark_split" in self._outdated,
            finished=made.payloads,
            seconds=self._project.with_store(lambda store: generators.seconds_for(store, todo)),
        )

    def _column(self, table: str, name: str) -> list[Any]:
        return list(self._project.read(table, self._domain)[name].to_pylist())


def _some(payloads: Payloads, wanted: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of a few each by itself: those of a large domain are many times what one of them is."""
    if len(wanted) > FEW:
        yield from (one for one in payloads.items() if one[0] in wanted)
    else:
        yield from ((name, payloads[name]) for name in sorted(wanted))


def _kept(payloads: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(clip_id, segment) of the kept segments, as `media.clip_files` takes them."""
    for identifier, payload in payloads:
        for segment in payload["segments"]:
            if segment["is_kept"]:
                yield (
                    segment["clip_id"],
                    {**segment, "source_id": identifier, "video_start_s": payload["video_start_s"]},
                )
