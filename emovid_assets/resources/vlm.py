"""Labels and captions by vision-language models as items: each clip once per content, prompt, model and revision.

Belongs here: what a clip is asked, under which key, and which backend answers. Does not belong here: how a model is
run (`local_model`) or reached (`endpoint`), and what becomes of an answer (assets).
"""

import hashlib
import json
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.core.clip_content import frames_content
from emovid_assets.core.identity import keyed_rank
from emovid_assets.core.model_place import ModelPlace, find_model
from emovid_assets.core.plain_text import quoted_in_prompt
from emovid_assets.core.transcripts import Cue, Folder, beside, read_cues, spoken
from emovid_assets.core.vlm import frames, prompts
from emovid_assets.core.vlm.caption_rules import CaptionRules
from emovid_assets.core.vlm.chat_model import load_chat_model
from emovid_assets.core.vlm.exchange import ClipRequest, Meter
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import CaptionerSettings, LabellerSettings
from emovid_assets.resources import endpoint, local_model
from emovid_assets.resources.compute import BatchStep, Item, Outcome
from emovid_assets.resources.workers import Done, ModelWork, Task
from emovid_assets.resources.workplace import Workplace

LABEL_VERSION, CAPTION_VERSION = "1", "1"
Row = Mapping[str, Any]
Settings = LabellerSettings | CaptionerSettings


@dataclass(frozen=True)
class Model:
    """A model that answers: which one, and the adapter that was trained for it, if any."""

    place: ModelPlace
    adapter: Path | None = None
    adapter_revision: str = ""

    @property
    def key(self) -> str:
        return f"{self.place.model_id}@{self.place.revision}|{self.adapter_revision}"


def model_of(home: Home, settings: Settings, setting: str) -> Model:
    """The configured model without an adapter. `setting` names its section in messages. Raises ModelNotUsableError."""
    assert settings.model is not None, "the settings see to it"
    if settings.backend == "endpoint":
        # What an endpoint serves under a name is its own affair; the revision is what the user calls it.
        return Model(ModelPlace(settings.model, settings.revision or "served"))
    return Model(find_model(settings.model, home.root, settings.revision, setting=f"{setting}.model"))


def label_prompt(home: Home, settings: LabellerSettings) -> prompts.Prompt:
    """What a labeller is asked. Raises PromptError."""
    is_lettered = settings.backend == "endpoint" and settings.answer == "letters"
    return _prompt(home, settings, prompts.LABEL_LETTERS if is_lettered else prompts.LABEL)


def caption_prompt(home: Home, settings: CaptionerSettings) -> prompts.Prompt:
    """What a captioner is asked. Raises PromptError."""
    return _prompt(home, settings, prompts.CAPTION)


def _prompt(home: Home, settings: Settings, own: str) -> prompts.Prompt:
    return prompts.read_prompt(home.root / settings.prompt if settings.prompt else prompts.FOLDER / own)


def label_requests(
    home: Home, settings: LabellerSettings, clips: Iterable[Row], sources: Iterable[Row]
) -> Iterator[tuple[Row, ClipRequest]]:
    """(row of the clip, request) for each clip. Rows are those of `evidence.ClipTables`."""
    options = "{options}" if settings.backend == "endpoint" else prompts.word_options()
    prompt = label_prompt(home, settings)
    return _requests(home, settings, clips, sources, lambda context: prompt.filled(context=context, options=options))


def caption_requests(
    home: Home, settings: CaptionerSettings, clips: Iterable[Row], sources: Iterable[Row]
) -> Iterator[tuple[Row, ClipRequest]]:
    """As `label_requests`."""
    prompt, words = caption_prompt(home, settings), settings.max_words
    return _requests(home, settings, clips, sources, lambda context: prompt.filled(context=context, max_words=words))


def _requests(
    home: Home, settings: Settings, clips: Iterable[Row], sources: Iterable[Row], ask: Callable[[str], str]
) -> Iterator[tuple[Row, ClipRequest]]:
    of_source = {row["source_id"]: row for row in sources} if settings.context else {}
    context = _Context(home, settings.context)
    for clip in clips:
        # Until the clips are built anew, some may be of a source that is gone.
        source = of_source.get(clip["source_id"])
        words = context.of(clip, source) if source else ""
        yield (
            clip,
            ClipRequest(
                path=str(home.root / clip["media_path"]),
                stamps_s=_stamps(settings, clip),
                side_px=settings.frame_side_px,
                prompt=ask(words),
            ),
        )


def _stamps(settings: Settings, clip: Row) -> list[float]:
    if settings.frame_choice == "uniform":
        return frames.uniform(clip["duration_s"], clip["frame_count"], settings.frames)
    samples, changes = clip["sampled_pts_s"], clip["sampled_changes"]
    return frames.motion(clip["duration_s"], clip["frame_count"], settings.frames, samples, changes)


class _Context:
    """What a prompt says of a clip beside its frames."""

    def __init__(self, home: Home, parts: tuple[str, ...]) -> None:
        self._home, self._parts = home, parts
        self._source = ""
        self._cues: list[Cue] = []
        self._folders: dict[Path, Folder] = {}

    def of(self, clip: Row, source: Row) -> str:
        sentences = []
        if "title" in self._parts and source["title"]:
            sentences.append(f"It is taken from {quoted_in_prompt(source['title'])}.")
        if "transcript" in self._parts and (words := spoken(self._cues_of(source), clip["start_s"], clip["end_s"])):
            sentences.append(f"What is said in it: {quoted_in_prompt(words)}")
        return " ".join(sentences)

    def _cues_of(self, source: Row) -> list[Cue]:
        if self._source != source["source_id"]:
            # Clips come source by source: one subtitle file in memory is enough.
            path = beside(self._home.root / source["path"], self._folders)
            self._source, self._cues = source["source_id"], read_cues(path) if path else []
        return self._cues


def label(
    project: Workplace,
    domain: str,
    model: Model,
    requests: Iterable[tuple[Row, ClipRequest]],
    meter: Meter,
    log: logging.Logger,
    *,
    step: str = "label",
    leave_failures: bool = False,
) -> Outcome:
    """Payloads (`LabelAnswer`) by clip id. A `step` of another name keeps its answers apart; `leave_failures` as in
    `compute`."""
    settings = project.settings.labeller

    def all_of(tasks: Iterable[Task], known: Task | None) -> Generator[list[Done]]:
        if settings.backend == "endpoint":
            yield from endpoint.label_clips(settings, tasks, meter=meter, known=known)
        else:
            loaded = _loaded(model, settings, log)
            yield from local_model.label_clips(
                loaded, tasks, batch_clips=settings.batch_clips, threads=project.threads, meter=meter
            )

    asked = {"answer": settings.answer, "rotations": settings.rotations} if settings.backend == "endpoint" else {}
    config = f"{model.key}|{json.dumps({**_reading(settings), **asked}, sort_keys=True)}"
    named = BatchStep(step, LABEL_VERSION, config, all_of, _elsewhere(label_by, model, settings, meter))
    return project.compute(named, domain, _items(requests, settings), log, leave_failures=leave_failures)


def caption(
    project: Workplace,
    domain: str,
    model: Model,
    requests: Iterable[tuple[Row, ClipRequest]],
    meter: Meter,
    log: logging.Logger,
) -> Outcome:
    """Payloads (`CaptionAnswer`) by clip id."""
    settings = project.settings.captioner
    rules = CaptionRules(settings.min_words, settings.max_words)

    def all_of(tasks: Iterable[Task], known: Task | None) -> Generator[list[Done]]:
        if settings.backend == "endpoint":
            yield from endpoint.caption_clips(settings, tasks, rules=rules, meter=meter, known=known)
        else:
            loaded = _loaded(model, settings, log)
            yield from local_model.caption_clips(
                loaded,
                tasks,
                batch_clips=settings.batch_clips,
                threads=project.threads,
                rules=rules,
                max_tokens=settings.max_tokens,
                tries=settings.tries,
                meter=meter,
            )

    written = {"rules": vars(rules), "max_tokens": settings.max_tokens, "tries": settings.tries}
    config = f"{model.key}|{json.dumps({**_reading(settings), **written}, sort_keys=True)}"
    more = {"rules": rules, "max_tokens": settings.max_tokens, "tries": settings.tries}
    step = BatchStep("caption", CAPTION_VERSION, config, all_of, _elsewhere(caption_by, model, settings, meter, **more))
    return project.compute(step, domain, _items(requests, settings), log)


CALLS_BATCHES = 4
"""Batches of a call of a worker elsewhere: while it is at one, the next is read."""


def _elsewhere(
    function: Callable[..., Generator[list[Done]]], model: Model, settings: Settings, meter: Meter, **more: Any
) -> ModelWork | None:
    """For workers that hold the model; a server is asked from here."""
    if settings.backend == "endpoint":
        return None
    loading = {name: getattr(settings, name) for name in ("device", "precision", "trust_remote_code")}
    arguments = {"model": model, "loading": loading, "batch_clips": settings.batch_clips, **more}
    return ModelWork(function, arguments, CALLS_BATCHES * settings.batch_clips, meter)


def label_by(tasks: Iterable[Task], *, model: Model, loading: dict[str, Any], **more: Any) -> Generator[list[Done]]:
    """As `local_model.label_clips`, in a process elsewhere."""
    return local_model.label_clips(load_chat_model(model.place, adapter=model.adapter, **loading), tasks, **more)


def caption_by(tasks: Iterable[Task], *, model: Model, loading: dict[str, Any], **more: Any) -> Generator[list[Done]]:
    """As `local_model.caption_clips`, in a process elsewhere."""
    return local_model.caption_clips(load_chat_model(model.place, adapter=model.adapter, **loading), tasks, **more)


def _reading(settings: Settings) -> dict[str, Any]:
    """What else the answers depend on."""
    precision = {"precision": settings.precision} if settings.backend == "transformers" else {}
    return {"backend": settings.backend, **precision}


def _loaded(model: Model, settings: Settings, log: logging.Logger) -> Any:
    loaded = load_chat_model(
        model.place,
        device=settings.device,
        precision=settings.precision,
        trust_remote_code=settings.trust_remote_code,
        adapter=model.adapter,
    )
    log.info(f"{model.place.model_id} is loaded on {loaded.device}")
    return loaded


def _items(requests: Iterable[tuple[Row, ClipRequest]], settings: Settings) -> Iterator[Item]:
    # A server is judged by its first answers: they shall be of many sources, not of the one that is first by id. A
    # model in this process gains from clips of one size, which stand together.
    is_mixed = settings.backend == "endpoint"
    for clip, request in requests:
        asked = json.dumps([list(request.stamps_s), request.side_px, request.prompt])
        yield Item(
            clip["clip_id"],
            content=f"{frames_content(clip)}|{hashlib.sha256(asked.encode()).hexdigest()}",
            arguments=request.as_arguments(),
            path=clip["media_path"],
            input_sha256=clip["sha256"],
            group=f"{keyed_rank(clip['clip_id'], 'asked'):016x}" if is_mixed else None,
        )


def cost(meter: Meter, outcome: Outcome) -> dict[str, Any]:
    """What a person wants to know of a run, as metadata. Empty where nothing was computed."""
    if not outcome.computed_count:
        return {}
    total_s = meter.model_s + meter.waiting_s
    return {
        "clips_per_second": round(meter.clip_count / total_s, 3) if total_s else 0.0,
        "waiting_for_frames_share": round(meter.waiting_share, 4),
        "prompt_tokens": meter.prompt_token_count,
        "output_tokens": meter.output_token_count,
        **{name: value if isinstance(value, int) else str(value) for name, value in meter.notes.items()},
    }
