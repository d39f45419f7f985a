"""Fine-tuning the labeller: from tables to a folder with an adapter and everything that it came from.

Belongs here: files, revisions, decoding ahead. Does not belong here: learning (`core.vlm.fine_tuning`), which clips
may be learnt from (`core.training_pool`).

A folder `models/labeller-<revision>` is complete from the moment it is there. While it is trained, its checkpoint lies
in a hidden folder beside it; a killed training goes on from there.
"""

import gc
import hashlib
import json
import logging
import platform
import shutil
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from emovid_assets.core.calibration import fit_temperature
from emovid_assets.core.clip_content import frames_content
from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.model_place import ModelPlace
from emovid_assets.core.placing import put_folder_into_place
from emovid_assets.core.training_pool import TrainingPool
from emovid_assets.core.vlm import adapter
from emovid_assets.core.vlm.chat_model import ChatModel, forget_chat_model
from emovid_assets.core.vlm.evaluation import HeldOutAnswer, as_arrays
from emovid_assets.core.vlm.exchange import LabelAnswer, Meter
from emovid_assets.core.vlm.fine_tuning import VERSION, FineTuning
from emovid_assets.core.vlm.loading import load
from emovid_assets.core.vlm.training_set import Example, Parts, class_weights, divided, require_enough
from emovid_assets.core.vlm.training_state import Recipe, State
from emovid_assets.home.settings import Settings
from emovid_assets.resources import vlm
from emovid_assets.resources.compute import Outcome
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.progress import progress_for
from emovid_assets.resources.training_frames import ready
from emovid_assets.resources.workplace import ALL_DOMAINS, Workplace

RECORD = "training.json"
MEASURED_CLIPS = 400
"""Most clips on which a model is measured that does not learn: ± 5 points of accuracy at 95 %."""
HELD_OUT_STEP, ZERO_SHOT_STEP = "label_held_out", "label_zero_shot"
"""Steps of `scored`: for the quality of a model that is used as it is, and of the one that a fine-tuned one was."""
_PACKAGES = ("torch", "transformers", "peft", "numpy", "av")


@dataclass(frozen=True)
class FineTuned:
    """A folder with an adapter; `record` is its `training.json`."""

    revision: str
    folder: Path
    record: Mapping[str, Any]

    @property
    def held_out(self) -> list[HeldOutAnswer]:
        """Its answers on the clips that have neither taught nor chosen it, before temperature."""
        return self._answers("log_probabilities")

    @property
    def zero_shot_held_out(self) -> list[HeldOutAnswer]:
        """The same of the model as it was."""
        return self._answers("zero_shot_log_probabilities")

    def _answers(self, column: str) -> list[HeldOutAnswer]:
        return [HeldOutAnswer(row["clip_id"], row["emotion"], row[column]) for row in self.record["held_out_clips"]]


def examples_of(project: Workplace, pool: TrainingPool, tables: ClipTables) -> list[Example]:
    """The clips of the pool that have a file, with what the labeller is asked about them."""
    rows = (row for row in tables.clip_rows() if row["clip_id"] in pool.emotions)
    asked = vlm.label_requests(project.home, project.settings.labeller, rows, tables.source_rows())
    return [
        Example(
            row["clip_id"], request, pool.emotions[row["clip_id"]], pool.groups[row["clip_id"]], frames_content(row)
        )
        for row, request in asked
    ]


@dataclass(frozen=True)
class Training:
    """A training that is due, or has been done: then its `folder` is there."""

    recipe: Recipe
    parts: Parts
    revision: str
    folder: Path
    facts: Mapping[str, Any]


def training_of(project: Workplace, place: ModelPlace, examples: Sequence[Example]) -> Training:
    """The training that these clips and the settings ask for. Raises NotEnoughLabelsError."""
    settings = project.settings
    recipe = Recipe(**settings.fine_tuning.model_dump())
    parts = divided(examples, share=recipe.held_out_share, seed=settings.seed)
    require_enough(examples, parts, recipe.min_clips)
    config = training_config(settings, place)
    data = _data_sha256(examples)
    revision = hashlib.sha256(json.dumps([config, data], sort_keys=True).encode()).hexdigest()[:16]
    facts = {"revision": revision, "data_sha256": data, "config": config}
    return Training(recipe, parts, revision, project.home.models / f"labeller-{revision}", facts)


def fine_tune(project: Workplace, place: ModelPlace, examples: Sequence[Example], log: logging.Logger) -> FineTuned:
    """Trains an adapter, or finds the one that the same clips and settings gave before.

    Raises NotEnoughLabelsError, ModelNotUsableError, TrainingFailedError.
    """
    due = training_of(project, place, examples)
    if not due.folder.exists():
        work = project.home.models / f".labeller-{due.revision}.training"
        log.info(
            f"Fine-tuning {place.model_id} on {len(due.parts.training)} clips. {due.parts.sentence} A run that is "
            "stopped goes on from its last evaluation"
        )
        _train(project, place, due, work, log)
        # Trainings that were stopped are of no use once the clips or settings have changed.
        for left in project.home.models.glob(".labeller-*.training"):
            shutil.rmtree(left, ignore_errors=True)
    record = json.loads((due.folder / RECORD).read_text(encoding="utf-8"))
    return FineTuned(due.revision, due.folder, record)


def found(project: Workplace, path: str, revision: str) -> FineTuned:
    """The fine-tuned labeller of a row of `emotion_labeller`."""
    folder = project.home.root / path
    return FineTuned(revision, folder, json.loads((folder / RECORD).read_text(encoding="utf-8")))


def training_config(settings: Settings, place: ModelPlace) -> dict[str, Any]:
    """What, besides the clips, an adapter follows from."""
    return {
        "version": VERSION,
        "base_model": place.model_id,
        "base_revision": place.revision,
        "precision": settings.labeller.precision,
        "seed": settings.seed,
        # Neither how many clips fit into memory nor how many are enough changes what is learnt.
        **settings.fine_tuning.model_dump(exclude={"micro_batch_clips", "min_clips"}),
    }


def measured_sample(examples: Sequence[Example], seed: str) -> list[Example]:
    """At most `MEASURED_CLIPS`, by keyed rank."""
    ranked = sorted(examples, key=lambda one: (keyed_rank(one.clip_id, f"{seed}/measured"), one.clip_id))
    return ranked[:MEASURED_CLIPS]


def scored(
    project: Workplace,
    model: vlm.Model,
    clip_ids: Set[str],
    tables: ClipTables,
    log: logging.Logger,
    *,
    step: str,
    leave_failures: bool = False,
) -> tuple[Outcome, Meter]:
    """What a model answers on some clips, clip by clip, apart from the labels of the library. Payloads are those of a
    `LabelAnswer`; `leave_failures` as in `compute`."""
    rows = (row for row in tables.clip_rows() if row["clip_id"] in clip_ids)
    requests = vlm.label_requests(project.home, project.settings.labeller, rows, tables.source_rows())
    meter = Meter()
    outcome = vlm.label(project, ALL_DOMAINS, model, requests, meter, log, step=step, leave_failures=leave_failures)
    return outcome, meter


def measured(
    project: Workplace, model: vlm.Model, examples: Sequence[Example], tables: ClipTables, log: logging.Logger
) -> tuple[list[HeldOutAnswer], Outcome, Meter]:
    """What a model answers on clips that people have labelled."""
    emotions = {example.clip_id: example.emotion for example in measured_sample(examples, project.settings.seed)}
    outcome, meter = scored(project, model, emotions.keys(), tables, log, step=HELD_OUT_STEP)
    answers = [
        HeldOutAnswer(clip_id, emotions[clip_id], LabelAnswer.of(payload).log_probabilities)
        for clip_id, payload in outcome.payloads.items()
    ]
    return answers, outcome, meter


def temperature_of(answers: Sequence[HeldOutAnswer]) -> float:
    """As `calibration.fit_temperature` finds it."""
    return fit_temperature(*as_arrays(answers))


def _train(project: Workplace, place: ModelPlace, due: Training, work: Path, log: logging.Logger) -> None:
    """Trains in the folder `work` and puts the result into its place."""
    import torch

    settings = project.settings.labeller
    # A GPU may not hold the labeller twice.
    forget_chat_model()
    model, processor = load(
        place,
        device=settings.device,
        precision=settings.precision,
        trust_remote_code=settings.trust_remote_code,
        adapter=None,
    )
    chat = ChatModel(model, processor, log)
    tell = progress_for(log)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        training = FineTuning(
            chat,
            place,
            due.recipe,
            due.parts,
            seed=due.revision,
            read=partial(ready, chat, threads=project.threads),
            score_batch_clips=settings.batch_clips,
            checkpoint_path=work / "checkpoint.pt",
            log=log,
            progress=lambda done, total: tell("fine-tuning", done, total),
        )
        state = training.run()
    record = {**due.facts, "device": chat.device, **_record(due.parts, state)}
    with put_folder_into_place(due.folder) as unfinished:
        adapter.save(training.adapted, place, unfinished)
        (unfinished / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    del training, chat, model, processor
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _record(parts: Parts, state: State) -> dict[str, Any]:
    """What a person needs to judge the adapter, and a program to use it."""
    groups = {example.clip_id: example.group_id for example in (*parts.choosing, *parts.held_out)}

    def answered(answers: Sequence[HeldOutAnswer], zero_shot: Sequence[HeldOutAnswer]) -> list[dict[str, Any]]:
        before = {one.clip_id: list(one.log_probabilities) for one in zero_shot}
        return [
            {
                **asdict(one),
                "group_id": groups[one.clip_id],
                "zero_shot_log_probabilities": before[one.clip_id],
            }
            for one in answers
        ]

    return {
        "temperature": temperature_of(state.best),
        "zero_shot_temperature": temperature_of(state.zero_shot),
        "best_step": state.best_step,
        "evaluations": [asdict(one) for one in state.evaluations],
        "losses": state.losses,
        "class_weights": class_weights(parts.training),
        "training_clips": [
            {"clip_id": one.clip_id, "emotion": one.emotion, "group_id": one.group_id} for one in parts.training
        ],
        "choosing_clips": answered(state.best, state.zero_shot),
        "held_out_clips": answered(state.held_out, state.zero_shot_held_out),
        "measured_on": parts.sentence,
        "unreadable_clips": sorted(state.unreadable),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
    }


def _data_sha256(examples: Sequence[Example]) -> str:
    """Of the clips' frames, labels and groups, and of what is asked about them."""
    digest = hashlib.sha256()
    for one in sorted(examples, key=lambda example: example.clip_id):
        asked = [list(one.request.stamps_s), one.request.side_px, one.request.prompt]
        line = [one.clip_id, one.content, one.emotion, one.group_id, *asked]
        digest.update(json.dumps(line).encode() + b"\n")
    return digest.hexdigest()
