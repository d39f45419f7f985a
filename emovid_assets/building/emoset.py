"""Labellers on EmoSet: who answers about which pictures.

Belongs here: the sample, the labellers at hand, asking them. Does not belong here: the layout of EmoSet
(`core.emoset`), what the answers are worth (`core.picture_comparison`), files and printing (`emoset_results`).

Each labeller is asked by the code that labels clips. What is kept of it lies in `<home>/emoset`.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from emovid_assets.assets.training_clips import forest_examples, pool_of
from emovid_assets.core.annotations import accept_answers, read_annotation_file
from emovid_assets.core.clip_content import frames_content
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.embedded_labeller import forest_of
from emovid_assets.core.emoset import EmoSet, Fault, Listing, Picture, apart, blind_id, sampled, twins
from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.core.labeller_comparison import PEOPLE, PERSON
from emovid_assets.core.labelling import LabelledClip, Labeller, LabelScore, NotEnoughLabelsError
from emovid_assets.core.vlm.exchange import LabelAnswer, Meter
from emovid_assets.core.vlm.training_set import Example
from emovid_assets.home.folders import Home
from emovid_assets.people.annotators import pseudonyms
from emovid_assets.resources import models, pictures, training, vlm
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.pictures import PictureProject, Seen
from emovid_assets.resources.project import Project
from emovid_assets.resources.workplace import ALL_DOMAINS
from emovid_assets.tables.columns import rows_of

Row = dict[str, Any]
Told = Callable[[str], None]

BY_CLIPS, BY_EMOSET = "our clips", "EmoSet"
"""What a labeller was taught by, in its name."""


@dataclass(frozen=True)
class Asked:
    """What a person asks for. `train_limit` pictures of the train split may be learnt from; 0: nothing learns."""

    folder: Path
    split: str = "test"
    limit: int | None = None
    train_limit: int = 2000
    fine_tune: bool = False
    answers: Path | None = None


@dataclass(frozen=True)
class Rater:
    """A labeller that has answered; people have no model."""

    rater_id: str
    kind: str
    model_id: str | None = None
    revision: str | None = None
    training_picture_count: int = 0
    temperature: float | None = None


@dataclass
class Found:
    """What a comparison is made of. `entry_count` pictures are listed, `sample` of them were to be looked at."""

    asked: Asked
    seed: str
    entry_count: int
    sample: Sequence[Picture]
    seen: Mapping[str, Seen]
    device: str | None = None
    raters: list[Rater] = field(default_factory=list)
    answers: list[Row] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    """(rater, or empty where the picture itself is at fault, fault)"""
    notes: list[str] = field(default_factory=list)
    asked_count: int = 0
    """Answers of models that had to be asked for; the others were there."""


def compare(home: Home, asked: Asked, told: Told) -> Found:
    """Asks every labeller at hand about the sample. May be stopped at any time and asked again.

    Raises NotEmoSetError, ModelNotUsableError, PromptError, LabellerOutOfDateError, TrainingFailedError, EndpointError.
    """
    log = _log(told)
    # A path that is relative would be looked for below the home.
    asked = replace(asked, folder=asked.folder.expanduser().resolve())
    dataset = EmoSet(asked.folder)
    project = PictureProject.below(home)
    project.home.root.mkdir(parents=True, exist_ok=True)
    listing = dataset.listing(asked.split)
    sample = sampled(listing.pictures, asked.limit, project.settings.seed)
    against = {one.picture_id: fault for one in sample if (fault := dataset.annotation_fault(one)) is not None}
    known = [one for one in sample if not (one.picture_id in against and against[one.picture_id].is_left_out)]
    sha256, unreadable = pictures.hashed(project, asked.folder, known)
    seen, faulty = pictures.looked_at(project, asked.folder, known, sha256, log)
    found = Found(asked, project.settings.seed, listing.entry_count, sample, seen)
    found.faults += [
        ("", fault) for fault in (*listing.faults, *against.values(), *unreadable, *twins(known, sha256), *faulty)
    ]
    run = _Run(home, project, dataset, found, log)
    learnt_from = run.learnt_from()
    run.forests(learnt_from)
    if project.settings.labeller.backend == "embedded":
        found.notes.append('No vision-language model: labeller.backend = "embedded" in emovid.toml.')
    else:
        run.models(learnt_from)
    if asked.answers is not None:
        run.people(asked.answers)
    return found


class _Run:
    """One comparison under way: each method adds raters, answers, faults and notes to what was found."""

    def __init__(self, home: Home, project: PictureProject, dataset: EmoSet, found: Found, log: logging.Logger) -> None:
        self._home, self._project, self._dataset, self._found, self._log = home, project, dataset, found, log
        self._asked, self._settings = found.asked, project.settings
        self._library = Project(home_folder=str(home.root))
        labellers = rows_of(self._library.read("emotion_labeller"))
        # Its folder may have been removed by hand.
        there = [row for row in labellers if row["path"] is None or (home.root / row["path"]).is_dir()]
        self._labeller: Row | None = there[0] if there else None

    def learnt_from(self) -> dict[str, Seen]:
        """Pictures of the train split that may be learnt from: none that is tested, by id or by bytes."""
        if not self._asked.train_limit:
            return {}
        listing = self._dataset.listing("train")
        if self._asked.split == "train":
            asked_about = {one.picture_id for one in self._found.sample}
            listing = Listing(pictures=[one for one in listing.pictures if one.picture_id not in asked_about])
        chosen = sampled(listing.pictures, self._asked.train_limit, f"{self._settings.seed}/train")
        sha256, unreadable = pictures.hashed(self._project, self._asked.folder, chosen)
        tested = [one.picture for one in self._found.seen.values()]
        kept, shut = apart(chosen, tested, sha256 | {one.picture.path: one.sha256 for one in self._found.seen.values()})
        seen, faulty = pictures.looked_at(self._project, self._asked.folder, kept, sha256, self._log)
        self._found.faults += [("", fault) for fault in (*listing.faults, *unreadable, *shut, *faulty)]
        return seen

    def forests(self, learnt_from: Mapping[str, Seen]) -> None:
        """The embedded labeller twice: as our clips taught it, and taught by EmoSet."""
        by_clips = self._forest_of_clips()
        if by_clips is None:
            self._found.notes.append("No embedded labeller of our clips: build emotion_labeller first.")
        else:
            self._ask_forest(by_clips, BY_CLIPS, 0)
        examples = [LabelledClip(one.evidence, one.picture.emotion, one.sha256) for one in learnt_from.values()]
        try:
            taught = forest_of(examples, minimum=self._settings.labeller.min_training_clips)
        except NotEnoughLabelsError:
            self._found.notes.append(f"No embedded labeller taught by EmoSet: {len(examples)} pictures to learn from.")
        else:
            self._ask_forest(taught, BY_EMOSET, len(examples))

    def models(self, learnt_from: Mapping[str, Seen]) -> None:
        """The vision-language model as it is, as our clips have taught it, and taught by EmoSet where that is asked."""
        labeller = self._labeller
        settings = self._settings.labeller
        base = vlm.model_of(self._home, settings, "labeller")
        self._found.device = _device(settings.backend, settings.device)
        is_of_base = labeller is not None and labeller["base_model"] == f"{base.place.model_id}@{base.place.revision}"
        temperature = self._zero_shot_temperature(labeller) if labeller is not None and is_of_base else 1.0
        self._ask(base, Rater("zero-shot", "zero_shot", base.place.model_id, base.place.revision, 0, temperature))
        if labeller is not None and is_of_base and labeller["kind"] == "fine_tuned":
            tuned = models.model_in_use(self._home, settings, labeller)
            facts = (labeller["model_id"], labeller["revision"], 0, labeller["temperature"])
            self._ask(tuned, Rater(f"fine-tuned, {BY_CLIPS}", "fine_tuned", *facts))
        else:
            self._found.notes.append("No labeller that our clips have fine-tuned from this model.")
        if self._asked.fine_tune and not settings.learns:
            self._found.notes.append("Nothing is fine-tuned: labeller.backend or labeller.fine_tune forbid it.")
        elif self._asked.fine_tune:
            self._fine_tune(base, learnt_from)

    def people(self, path: Path) -> None:
        """What people say in a file of answers, whose `clip_id` is the picture's or the one that hides it.

        The results are for others to read: people are in them as they are in tables.
        """
        with pseudonyms(self._home) as known:
            answers, refused = read_annotation_file(path, path.name, known)
            said_of = known.hide_in_path(path.name)
        ids = {name: name for name in self._found.seen}
        ids |= {blind_id(name, self._found.seed): name for name in self._found.seen}
        # Ids of pictures name no domain; such answers count with the first.
        accepted, rejected = accept_answers(answers, domain=DOMAINS[0], known_clip_ids=set(ids), rejected=refused)
        taken = {rater.rater_id for rater in self._found.raters} | {PEOPLE}
        given: dict[tuple[str, str], Row] = {}
        for row in accepted:
            if row["label"] in HUMAN_CHOICES:
                name, picture_id = row["annotator_id"], ids[row["clip_id"]]
                rater_id = f"{name} (person)" if name in taken else name
                given[rater_id, picture_id] = self._row(picture_id, rater_id, PERSON, row["label"])
        self._found.answers += given.values()
        self._found.raters += [Rater(name, PERSON) for name in sorted({name for name, _ in given})]
        counts = f"{said_of}: {len(given)} answers count, {len(rejected)} do not"
        self._found.notes.append(counts + (f"; the first: {_refusal(rejected[0])}" if rejected else ""))

    def _forest_of_clips(self) -> Labeller | None:
        """The labeller in use where it is embedded, else one that learns from what the model could learn from."""
        if self._labeller is None:
            return None
        if self._labeller["kind"] == "embedded":
            return models.load_labeller(self._home, self._labeller["path"])
        tables = ClipTables(*(self._library.read(one.name) for one in fields(ClipTables)))
        read = self._library.read
        tasks, answers, labels = read("annotation_tasks"), read("human_annotations"), read("human_labels")
        pool = pool_of(self._library, "labeller_answers", tables, tasks, answers, labels, read("clip_groups"))
        try:
            return forest_of(forest_examples(pool, tables), minimum=self._settings.labeller.min_training_clips)
        except NotEnoughLabelsError:
            return None

    def _ask_forest(self, forest: Labeller, taught_by: str, picture_count: int) -> None:
        rater = Rater(f"embedded, {taught_by}", "embedded", forest.model_id, forest.revision, picture_count, 1.0)
        judged = list(self._found.seen.values())
        began = time.process_time()
        scores = forest.score([one.evidence for one in judged])
        each_s = (time.process_time() - began) / max(len(judged), 1)
        self._found.raters.append(rater)
        self._found.answers += [
            self._scored(one.picture.picture_id, rater, score, one.cpu_s + each_s)
            for one, score in zip(judged, scores, strict=True)
        ]

    def _zero_shot_temperature(self, labeller: Mapping[str, Any]) -> float:
        if labeller["kind"] == "fine_tuned":
            record = training.found(self._library, labeller["path"], labeller["revision"]).record
            return float(record["zero_shot_temperature"])
        return float(labeller["temperature"])

    def _ask(self, model: vlm.Model, rater: Rater) -> None:
        """The model about every picture of the sample that it has not answered before."""
        settings = self._settings.labeller
        prompt = vlm.label_prompt(self._home, settings).sha256
        # A step of its own for each model and prompt: whoever comes back to an older one finds its answers.
        asked = hashlib.sha256(f"{model.key}|{prompt}|{settings.frame_side_px}".encode()).hexdigest()[:8]
        outcome = vlm.label(
            self._project,
            ALL_DOMAINS,
            model,
            self._requests(self._found.seen.values()),
            Meter(),
            self._log,
            step=f"{rater.kind} {asked}",
        )
        self._found.asked_count += outcome.computed_count
        self._found.raters.append(rater)
        assert rater.temperature is not None
        self._found.answers += [
            self._scored(
                picture_id, rater, models.score_of(answer, rater.temperature), answer.model_s, answer.prompt_token_count
            )
            for picture_id, payload in outcome.payloads.items()
            for answer in (LabelAnswer.of(payload),)
        ]
        looked_at = {picture_id: one.picture for picture_id, one in self._found.seen.items()}
        self._found.faults += [(rater.rater_id, fault) for fault in pictures.faults_of(outcome, looked_at)]

    def _requests(self, seen: Iterable[Seen]) -> Iterator[tuple[Mapping[str, Any], vlm.ClipRequest]]:
        rows = (one.clip_row(self._asked.folder) for one in seen)
        return vlm.label_requests(self._home, self._settings.labeller, rows, ())

    def _fine_tune(self, base: vlm.Model, learnt_from: Mapping[str, Seen]) -> None:
        examples = [
            # Equal pictures are all learnt from or all held out.
            Example(
                row["clip_id"], request, learnt_from[row["clip_id"]].picture.emotion, row["sha256"], frames_content(row)
            )
            for row, request in self._requests(learnt_from.values())
        ]
        try:
            tuned = training.fine_tune(self._project, base.place, examples, self._log)
        except NotEnoughLabelsError as missing:
            self._found.notes.append(f"Nothing is fine-tuned on EmoSet. {missing}")
            return
        facts = (f"{base.place.model_id}+lora", tuned.revision, len(tuned.record["training_clips"]))
        rater = Rater(f"fine-tuned, {BY_EMOSET}", "fine_tuned", *facts, tuned.record["temperature"])
        self._ask(vlm.Model(base.place, tuned.folder, tuned.revision), rater)

    def _scored(
        self, picture_id: str, rater: Rater, score: LabelScore, seconds: float | None, tokens: int | None = None
    ) -> Row:
        shares = {f"p_{name}": score.probabilities[name] for name in EMOTION_NAMES}
        cost = {"seconds": seconds, "prompt_token_count": tokens}
        return self._row(picture_id, rater.rater_id, rater.kind, score.emotion) | shares | cost

    def _row(self, picture_id: str, rater_id: str, kind: str, label: str) -> Row:
        return {
            "picture_id": picture_id,
            "emotion": self._found.seen[picture_id].picture.emotion,
            "rater_id": rater_id,
            "rater_kind": kind,
            "label": label,
            **dict.fromkeys(f"p_{name}" for name in EMOTION_NAMES),
            "seconds": None,
            "prompt_token_count": None,
        }


def _refusal(rejected: Mapping[str, Any]) -> str:
    """Where and why an answer does not count."""
    is_of_another = rejected["reason"] == "unknown_clip"
    why = f"no picture that is compared has the id '{rejected['clip_id']}'" if is_of_another else rejected["message"]
    return f"row {rejected['row_number']}: {why}"


class _Teller(logging.Handler):
    """Passes on what a run says of its course. Warnings name single pictures, which the results do better."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.INFO:
            self._told(record.getMessage())


def _log(told: Told) -> logging.Logger:
    log = logging.Logger("emovid", logging.INFO)
    log.addHandler(_Teller(told))
    return log


def _device(backend: str, device: str) -> str:
    """What a local model computes on here."""
    if backend == "endpoint":
        return "endpoint"
    import torch

    return torch.cuda.get_device_name() if device != "cpu" and torch.cuda.is_available() else "CPU"
