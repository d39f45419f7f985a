"""Which model answers: the configured labeller and captioner.

Belongs here: the choice by `labeller.backend` and `captioner.backend`, and the model folder. Does not belong here: what
a model computes, and how a vision-language model is asked (`vlm`).
"""

import json
import logging
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from zipfile import BadZipFile

from emovid_assets.core import embedded_labeller
from emovid_assets.core.embedded_describer import EmbeddedDescriber
from emovid_assets.core.labelling import ClipEvidence, LabelledClip, Labeller, LabelScore, TrainingReport
from emovid_assets.core.placing import put_folder_into_place
from emovid_assets.core.vlm.exchange import CaptionAnswer, LabelAnswer, Meter
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import LabellerSettings
from emovid_assets.resources import vlm
from emovid_assets.resources.compute import Outcome
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.workplace import Workplace

Answer = TypeVar("Answer", LabelScore, CaptionAnswer)
CLIPS_AT_ONCE = 1024
"""For the embedded models. A forest of 300 trees is asked 20 times faster so than clip by clip."""


class LabellerOutOfDateError(RuntimeError):
    """The labeller was made under other settings; the message says what to build."""


@dataclass(frozen=True)
class Answers(Generic[Answer]):
    """What a model said of the clips of a domain. `outcome` is null where all clips were answered at once.

    `by_clip` goes through the clips as it is read, and can be read once: a million answers take gigabytes.
    """

    model_id: str
    revision: str
    prompt_sha256: str | None
    by_clip: Iterator[tuple[str, Answer]]
    outcome: Outcome | None = None
    meter: Meter = field(default_factory=Meter)

    @property
    def metadata(self) -> dict[str, Any]:
        spent = vlm.cost(self.meter, self.outcome) if self.outcome else {}
        return {"model": f"{self.model_id}@{self.revision}", **spent}

    @property
    def shown(self) -> dict[str, Any]:
        """What the asset's result says of items, where there are any."""
        if self.outcome is None:
            return {}
        return {"failures": self.outcome.failures, "computed_count": self.outcome.computed_count}


class Shown(Protocol):
    """What a labeller is shown: clips of tables, or generated videos."""

    @property
    def evidence(self) -> Iterable[ClipEvidence]: ...

    def clip_rows(self) -> Iterable[Mapping[str, Any]]: ...

    def source_rows(self) -> Iterable[Mapping[str, Any]]: ...


def label(
    project: Workplace,
    domain: str,
    labeller: Mapping[str, Any],
    tables: Shown,
    log: logging.Logger,
    *,
    step: str = "label",
) -> Answers[LabelScore]:
    """Scores of the clips by the labeller of that row of `emotion_labeller`. A `step` of another name keeps its answers
    apart.

    Raises LabellerOutOfDateError, ModelNotUsableError, PromptError.
    """
    settings = project.settings.labeller
    if (labeller["kind"] == "embedded") != (settings.backend == "embedded"):
        raise LabellerOutOfDateError(
            f'The labeller at hand is {labeller["model_id"]}, but labeller.backend = "{settings.backend}". '
            f"Build it first: emovid build --select key:emotion_labeller"
        )
    if labeller["kind"] == "embedded":
        project.leave_out(domain, step)
        forest = load_labeller(project.home, labeller["path"])
        return Answers(forest.model_id, forest.revision, forest.prompt_sha256, _answered(tables.evidence, forest.score))
    model = model_in_use(project.home, settings, labeller)
    meter = Meter()
    requests = vlm.label_requests(project.home, settings, tables.clip_rows(), tables.source_rows())
    outcome = vlm.label(project, domain, model, requests, meter, log, step=step)
    prompt = vlm.label_prompt(project.home, settings).sha256
    by_clip = (
        (clip_id, score_of(LabelAnswer.of(payload), labeller["temperature"]))
        for clip_id, payload in outcome.payloads.items()
    )
    return Answers(labeller["model_id"], labeller["revision"], prompt, by_clip, outcome, meter)


def model_in_use(home: Home, settings: LabellerSettings, labeller: Mapping[str, Any]) -> vlm.Model:
    """The vision-language model of that row of `emotion_labeller`, with the adapter that was trained for it.

    Raises LabellerOutOfDateError, ModelNotUsableError.
    """
    model = vlm.model_of(home, settings, "labeller")
    configured = f"{model.place.model_id}@{model.place.revision}"
    if labeller["base_model"] != configured:
        raise LabellerOutOfDateError(
            f"The labeller at hand was made from {labeller['base_model']}, but labeller.model is now {configured}. "
            f"Build it first: emovid build --select key:emotion_labeller"
        )
    if labeller["path"]:
        return vlm.Model(model.place, home.root / labeller["path"], labeller["revision"])
    return model


def score_of(answer: LabelAnswer, temperature: float) -> LabelScore:
    """The answer as a row of `vlm_labels` gives it."""
    return LabelScore(
        probabilities=answer.probabilities(temperature),
        frame_pts_s=answer.frame_pts_s,
        mass=answer.mass,
        temperature=temperature,
        prompt_token_count=answer.prompt_token_count,
    )


def caption(project: Workplace, domain: str, tables: ClipTables, log: logging.Logger) -> Answers[CaptionAnswer]:
    """Captions of the clips by the configured captioner. Raises ModelNotUsableError, PromptError."""
    settings = project.settings.captioner
    if settings.backend == "embedded":
        project.leave_out(domain, "caption")
        describer = EmbeddedDescriber()
        texts = _answered(tables.evidence, describer.caption)
        return Answers(describer.model_id, describer.revision, describer.prompt_sha256, texts)
    model, meter = vlm.model_of(project.home, settings, "captioner"), Meter()
    requests = vlm.caption_requests(project.home, settings, tables.clip_rows(), tables.source_rows())
    outcome = vlm.caption(project, domain, model, requests, meter, log)
    by_clip = ((clip_id, CaptionAnswer.of(payload)) for clip_id, payload in outcome.payloads.items())
    prompt = vlm.caption_prompt(project.home, settings).sha256
    return Answers(model.place.model_id, model.place.revision, prompt, by_clip, outcome, meter)


def _answered(
    evidence: Iterable[ClipEvidence], answer: Callable[[Sequence[ClipEvidence]], Sequence[Answer]]
) -> Iterator[tuple[str, Answer]]:
    """What an embedded model says of each clip, by its id; it is asked of many at once."""
    waiting = iter(evidence)
    while some := list(islice(waiting, CLIPS_AT_ONCE)):
        yield from zip((clip.clip_id for clip in some), answer(some), strict=True)


@dataclass(frozen=True)
class TrainedForest:
    """The embedded labeller as it lies in its folder, and how good it is."""

    revision: str
    report: TrainingReport
    folder: Path


def train_labeller(project: Workplace, examples: Sequence[LabelledClip], *, minimum: int) -> TrainedForest:
    """Trains the embedded labeller and saves it under `models/`, where equal examples have not done so before.

    Raises NotEnoughLabelsError.
    """
    revision, judged = embedded_labeller.revisions_of(examples, minimum=minimum)
    found, _ = project.remembered(
        "labeller_report", judged, lambda: vars(embedded_labeller.validated(examples, minimum=minimum))
    )
    report = TrainingReport(**found)
    folder = project.home.models / f"labeller-{revision}"
    if not _can_be_loaded(folder):
        shutil.rmtree(folder, ignore_errors=True)
        labeller = embedded_labeller.forest_of(examples, minimum=minimum)
        with put_folder_into_place(folder) as unfinished:
            labeller.save(unfinished)
            text = json.dumps(vars(report), indent=2, default=list)
            (unfinished / "report.json").write_text(text + "\n", encoding="utf-8")
    return TrainedForest(revision, report, folder)


def _can_be_loaded(folder: Path) -> bool:
    """Whether a labeller is there and whole: a power cut or a disk may have cut its files."""
    try:
        embedded_labeller.EmbeddedLabeller.load(folder)
    except (OSError, EOFError, ValueError, LookupError, TypeError, BadZipFile, zlib.error):
        return False
    return (folder / "report.json").is_file()


def load_labeller(home: Home, path: str) -> Labeller:
    """The embedded labeller of a row of `emotion_labeller`."""
    return embedded_labeller.EmbeddedLabeller.load(home.root / path)


def training_config() -> str:
    """JSON of the embedded labeller's configuration."""
    return json.dumps(embedded_labeller.training_config(), sort_keys=True)
