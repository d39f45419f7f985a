"""Trainings of adapters: from settings and tables to a folder with an adapter and everything that it came from.

Belongs here: which training is due, models and devices, files. Does not belong here: learning (`core.tuning.loop`),
which clips there are (`training_sets`).

A folder `models/adapters/<name>-<revision>` is complete from the moment it is there, and
`models/adapters/<name>.safetensors` is the adapter of the latest one. While it is trained, its checkpoint lies in a
hidden folder beside it; a training that was killed goes on from there.
"""

import gc
import hashlib
import json
import logging
import platform
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from emovid_assets.core import checkpoint
from emovid_assets.core.clip_content import frames_content
from emovid_assets.core.generation.generator import Loading, device_of, load_pipeline
from emovid_assets.core.identity import file_sha256
from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace, find_pipeline
from emovid_assets.core.placing import put_bytes, put_folder_into_place
from emovid_assets.core.tuning import loop, lora, wan
from emovid_assets.core.tuning.adapter_files import as_file, for_comfyui, for_diffusers, said_in
from emovid_assets.core.tuning.families import FAMILIES, Size
from emovid_assets.core.tuning.frames import read_frames
from emovid_assets.core.tuning.licences import DataLicence, data_licence
from emovid_assets.core.tuning.loop import Tuning
from emovid_assets.core.tuning.recipe import LEVELS, Clip, Parts, Recipe, Schedule, State, divided, plain
from emovid_assets.core.tuning.rows import PLAYED_AGAIN
from emovid_assets.core.tuning.team import Alone
from emovid_assets.core.video.errors import MediaError
from emovid_assets.home.settings import TunedAdapterSettings
from emovid_assets.resources.generation.generators import LORA_FILE
from emovid_assets.resources.generation.hashes import Hashes
from emovid_assets.resources.progress import progress_for, span
from emovid_assets.resources.tuning.samples import SampleFolder, Samples
from emovid_assets.resources.workplace import Workplace

FAMILY = FAMILIES["wan"]
STEP, RATE = "tune_adapter", "tune_adapter_rate"
RECORD, COMFYUI_FILE, CHECKPOINT = "training.json", "comfyui.safetensors", "checkpoint.pt"
_PACKAGES = ("torch", "diffusers", "transformers", "peft")
_OF_NO_INFLUENCE = frozenset({"name", "model", "revision", "min_clips", "is_trial", "gradient_checkpointing"})
"""Keys of an adapter that change no weight of it, or that its model and clips say better."""


@dataclass(frozen=True)
class Shown:
    """A clip as the generator is shown it."""

    path: Path
    caption: str
    size: Size
    frames: int
    is_again: bool


@dataclass(frozen=True)
class Due:
    """A training that is due, or has been done: then its `folder` is there."""

    settings: TunedAdapterSettings
    place: ModelPlace
    recipe: Recipe
    parts: Parts
    shown: Mapping[str, Shown]
    licence: DataLicence
    config: Mapping[str, Any]
    data_sha256: str
    folder: Path

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def revision(self) -> str:
        return self.folder.name.rpartition("-")[2]

    @property
    def work(self) -> Path:
        """Where its checkpoint is while it is trained."""
        return self.folder.with_name(f".{self.folder.name}.training")

    @property
    def work_of_step(self) -> float:
        """How much there is to do in a step, beside others: pixels, for a model of any size."""
        shown = self.shown.values()
        pixels = sum(one.size.width_px * one.size.height_px * one.frames for one in shown) / max(1, len(shown))
        return pixels * self.recipe.batch_clips

    @property
    def step_count(self) -> int:
        return Schedule(self.parts.training, self.recipe).step_count


@dataclass(frozen=True)
class Trained:
    """A folder with an adapter; `record` is its `training.json`."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def file(self) -> Path | None:
        """The adapter as diffusers loads it; null where none was better than the model as it was."""
        path = self.folder / LORA_FILE
        return path if path.is_file() else None


def due_of(
    project: Workplace,
    one: TunedAdapterSettings,
    rows: Iterable[Mapping[str, Any]],
    media: Mapping[str, Mapping[str, Any]],
    licences: Mapping[str, str | None],
    hashes: Hashes,
) -> Due:
    """The training that an adapter of the settings asks for.

    `rows` of `training_sets`; `media`: rows of `clip_media` by clip; `licences`: by clip.
    Raises ModelNotUsableError, NotEnoughClipsError.
    """
    home = project.home
    place = find_pipeline(
        one.model,
        home.root,
        one.revision,
        hashes.of,
        setting=f'tuning.adapters "{one.name}": model',
        is_offline=not hashes.reads,
    )
    clips, shown, facts = [], {}, hashlib.sha256()
    for row in sorted(rows, key=lambda row: str(row["clip_id"])):
        name = row["clip_id"]
        if row["set_id"] != FAMILY.name or row["domain"] not in one.domains or name not in media:
            continue
        seen = _shown(home.root, one, row, media[name])
        content = [frames_content(media[name]), seen.caption, str(seen.size), seen.frames]
        facts.update(json.dumps([name, row["group_id"], row["repeats"], *content]).encode() + b"\n")
        key = json.dumps(
            [wan.VERSION, one.task, place.model_id, place.revision, one.dtype, one.prompt_tokens, *content]
        )
        clips.append(Clip(name, row["group_id"], hashlib.sha256(key.encode()).hexdigest()[:32], row["repeats"]))
        shown[name] = seen
    seed = f"{project.settings.seed}/{one.seed}"
    parts = divided(clips, share=one.held_out_share, minimum=one.min_clips, name=one.name, seed=seed)
    config = {
        "version": loop.VERSION,
        "base_model": place.model_id,
        "base_revision": place.revision,
        "levels": LEVELS,
        **one.model_dump(mode="json", exclude=set(_OF_NO_INFLUENCE)),
    }
    data = facts.hexdigest()
    revision = hashlib.sha256(json.dumps([config, data, project.settings.seed], sort_keys=True).encode()).hexdigest()
    return Due(
        one,
        place,
        _recipe(one),
        parts,
        shown,
        data_licence(licences.get(name) for name in shown),
        config,
        data,
        home.adapters / f"{one.name}-{revision[:16]}",
    )


def _shown(root: Path, one: TunedAdapterSettings, row: Mapping[str, Any], media: Mapping[str, Any]) -> Shown:
    size = Size(one.width_px or row["width_px"], one.height_px or row["height_px"])
    frames = FAMILY.largest_count(min(one.frames, row["frame_count"]))
    return Shown(root / media["media_path"], row["caption"], size, frames, row["domain"] in PLAYED_AGAIN)


def _recipe(one: TunedAdapterSettings) -> Recipe:
    names = ("rank", "learning_rate", "epochs", "batch_clips", "targets", "evaluations_per_epoch", "patience", "seed")
    return Recipe(**{name: getattr(one, name) for name in names})


def rate_of(project: Workplace) -> float | None:
    """Seconds a unit of `work_of_step` took in the latest training, evaluations included; null before the first."""
    known = project.recalled(RATE, RATE)
    return None if known is None else known["seconds"]


def steps_left(due: Due) -> int:
    """Steps that a training still takes at most, by its checkpoint; 0 where it is done."""
    if due.folder.exists():
        return 0
    saved = checkpoint.read(due.work / CHECKPOINT)
    return due.step_count - (saved["state"]["step"] if saved else 0)


def trained(project: Workplace, due: Due, log: logging.Logger) -> tuple[Trained, int]:
    """Trains an adapter, or finds the one that the same clips and settings gave before; and how many steps that took.

    Raises ModelNotUsableError, TuningFailedError.
    """
    _require_free_name(project, due)
    steps = steps_left(due)
    if steps:
        log.info(
            f"{due.name}: {due.place.model_id} learns from {len(due.parts.training)} clips, {len(due.parts.held_out)} "
            f"are held out; {steps} of {due.step_count} steps are left. A run that is stopped goes on"
        )
        train(project, due, log, Alone())
    found = _found(project, due)
    if found.file is not None and not _is_file(named_file(project, due), found.record["sha256"]):
        put_bytes(named_file(project, due), found.file.read_bytes())
    return found, steps


def named_file(project: Workplace, due: Due) -> Path:
    """The latest adapter of a name, where the settings of generators find it."""
    return project.home.adapters / f"{due.name}.safetensors"


def lacks_files(project: Workplace, due: Due) -> bool:
    """Whether files of an adapter that was trained have gone; what is in them is not looked at."""
    if not due.folder.exists():
        return False
    with suppress(OSError, ValueError):
        if json.loads((due.folder / RECORD).read_text(encoding="utf-8"))["sha256"] is None:
            return False
    return not all(path.is_file() for path in (due.folder / RECORD, due.folder / LORA_FILE, named_file(project, due)))


def _require_free_name(project: Workplace, due: Due) -> None:
    """Raises TuningFailedError where a person has put an adapter of their own under the name."""
    from safetensors import SafetensorError

    path = named_file(project, due)
    try:
        is_ours = not path.exists() or said_in(path).get("emovid.name") == due.name
    except SafetensorError:
        # Cut off, so of no use to anybody.
        is_ours = True
    if not is_ours:
        raise loop.TuningFailedError(
            f"{due.name}: {path} was not trained here and would be replaced: give it, or the adapter in "
            "[[tuning.adapters]], another name"
        )


def _found(project: Workplace, due: Due) -> Trained:
    """What lies in the folder; an adapter that has gone from it comes back from under its name.

    Raises TuningFailedError where it is not what was trained.
    """
    again = f"put it back, or remove {due.folder}, and it is trained again"
    try:
        record = json.loads((due.folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise loop.TuningFailedError(f"{due.name}: {RECORD} cannot be read ({error}): {again}") from error
    file, named = due.folder / LORA_FILE, named_file(project, due)
    if record["sha256"] is not None and not _is_file(file, record["sha256"]):
        if not _is_file(named, record["sha256"]):
            raise loop.TuningFailedError(f"{due.name}: {LORA_FILE} is gone or not what was trained: {again}")
        put_bytes(file, named.read_bytes())
    return Trained(due.folder, record)


def _is_file(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256


def device_kind(project: Workplace) -> str:
    """cpu or cuda. Raises ModelNotUsableError."""
    return device_of(project.settings.tuning.device, section="tuning")


def train(project: Workplace, due: Due, log: logging.Logger, team: Alone) -> None:
    """Trains an adapter with all processes of a team, of which the first writes the folder. Raises as `trained`."""
    # Before the hours that it takes.
    _require_free_name(project, due)
    if team.size > due.recipe.batch_clips:
        raise ModelNotUsableError(
            f"{due.name}: {team.size} processes share the clips of a step, of which there are "
            f"{due.recipe.batch_clips}: set batch_clips to a multiple of the processes"
        )
    try:
        _train(project, due, log, team)
    finally:
        gc.collect()
        _empty_cache()


def _train(project: Workplace, due: Due, log: logging.Logger, team: Alone) -> None:
    settings, one = project.settings.tuning, due.settings
    kind = device_kind(project)
    device = team.device(kind)
    dtype = ("bfloat16" if kind == "cuda" else "float32") if one.dtype == "auto" else one.dtype
    # Its parts go to the GPU in turn: all of them together need half as much memory again.
    pipeline, _ = load_pipeline(Loading(due.place, dtype=dtype, device="cpu"))
    wan.require_wan(pipeline, one.task, due.place.model_id)
    tell = progress_for(log)
    samples = Samples(
        SampleFolder(project.home.samples, settings.cache_gb * 1e9, {clip.key for clip in _all(due.parts)}),
        lambda clip: _encoded(pipeline, due, clip),
    )
    _move_encoders(pipeline, device)
    if team.number:
        # What the first has encoded is there for all.
        team.wait()
    faults, are_kept = samples.prepare(_all(due.parts), lambda done, all_: tell(f"{due.name} clips", done, all_))
    if not team.number:
        team.wait()
    for clip_id, said in faults.items():
        log.warning(f"{due.name}: {clip_id} cannot be read and is left out. {said}")
    if are_kept:
        _move_encoders(pipeline, "cpu")
    parts = _without(due, faults)
    transformer = pipeline.transformer.to(device)
    if one.gradient_checkpointing and kind == "cuda":
        transformer.enable_gradient_checkpointing()
    learning = lora.attach(transformer, due.recipe)
    began, steps = time.monotonic(), steps_left(due)
    tuning = Tuning(
        wan.velocity_of(transformer),
        learning,
        due.recipe,
        parts,
        read=samples.read,
        checkpoint_path=due.work / CHECKPOINT,
        save_every=settings.save_every,
        log=log,
        optimiser=one.optimiser,
        is_half=dtype == "bfloat16",
        team=team,
        progress=_telling(due.name, tell, log),
    )
    try:
        state = tuning.run()
    except MediaError as error:
        told = f"{due.name}: a clip file has gone or changed while it was learnt from: {error}"
        raise loop.TuningFailedError(told) from error
    if team.number:
        return
    record = _record(due, parts, state, faults) | {"device": kind, "dtype": dtype}
    _write(due, lora.values_of(learning), record)
    spent = time.monotonic() - began
    log.info(f"{due.name}: trained in {span(spent)}, kept what step {state.best_step} gave")
    taken = state.step - (due.step_count - steps)
    if taken:
        project.remember(RATE, RATE, {"seconds": spent / taken / due.work_of_step})
    # Of this name alone, not of one that begins with it.
    for left in project.home.adapters.glob(f".{due.name}-{'?' * len(due.revision)}.training"):
        # Trainings that were stopped are of no use once the clips or settings have changed.
        shutil.rmtree(left, ignore_errors=True)


def _all(parts: Parts) -> tuple[Clip, ...]:
    return (*parts.training, *parts.held_out)


def _without(due: Due, faults: Mapping[str, str]) -> Parts:
    parts = Parts(
        tuple(clip for clip in due.parts.training if clip.clip_id not in faults),
        tuple(clip for clip in due.parts.held_out if clip.clip_id not in faults),
    )
    if not (parts.training and parts.held_out):
        raise loop.TuningFailedError(
            f"{due.name}: none of the clips to {'learn from' if parts.held_out else 'hold out'} can be read: build "
            "clip_media again"
        )
    return parts


def _encoded(pipeline: Any, due: Due, clip: Clip) -> dict[str, Any]:
    """Raises MediaError where the clip cannot be read."""
    shown = due.shown[clip.clip_id]
    frames = read_frames(shown.path, FAMILY, shown.size, frames=shown.frames, is_again=shown.is_again)
    if len(frames) < 2:
        raise MediaError("frame_count", f"{len(frames)} frames at {FAMILY.rate} a second are no video")
    one = due.settings
    return wan.encoded(pipeline, one.task, frames, shown.caption, prompt_tokens=one.prompt_tokens)


def _move_encoders(pipeline: Any, device: str) -> None:
    for name in ("vae", "text_encoder", "image_encoder"):
        part = getattr(pipeline, name, None)
        if part is not None:
            part.to(device)
    _empty_cache()


def _empty_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _telling(name: str, tell: Any, log: logging.Logger) -> loop.Progress:
    """Steps, and now and then about how long those that are left take."""
    began: list[tuple[float, int]] = []

    def told(done: int, total: int) -> None:
        tell(f"{name} steps", done, total)
        if not began:
            began.append((time.monotonic(), done))
        spent, steps = time.monotonic() - began[0][0], done - began[0][1]
        if steps and steps & (steps - 1) == 0 and done < total:
            each = spent / steps
            left = span(each * (total - done))
            log.info(f"{name}: {done} of {total} steps, {each:.2f} s each; what is left takes at most {left}")

    return told


def _record(due: Due, parts: Parts, state: State, faults: Mapping[str, str]) -> dict[str, Any]:
    """What a person needs to judge the adapter; nothing in it changes with the time or place that it was trained at."""
    return {
        "name": due.name,
        "revision": due.revision,
        "data_sha256": due.data_sha256,
        "data_licence": due.licence.told,
        "is_non_commercial": due.licence.is_non_commercial,
        "config": due.config,
        **plain(state),
        "step_count": due.step_count,
        "loss_before": state.evaluations[0].loss,
        "loss_after": state.best.loss,
        "training_clips": [clip.clip_id for clip in parts.training],
        "held_out_clips": [clip.clip_id for clip in parts.held_out],
        "unreadable_clips": dict(faults),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
    }


def said_of(due: Due) -> dict[str, str]:
    """What an adapter says of itself in its file."""
    return {
        "format": "pt",
        "emovid.name": due.name,
        "emovid.base_model": due.place.model_id,
        "emovid.base_revision": due.place.revision,
        "emovid.data_sha256": due.data_sha256,
        "emovid.data_licence": due.licence.told,
        "emovid.rank": str(due.recipe.rank),
        "emovid.targets": ",".join(due.recipe.targets),
        "emovid.task": due.settings.task,
        "emovid.training": json.dumps(due.config, sort_keys=True),
    }


def _write(due: Due, values: lora.Values, record: dict[str, Any]) -> None:
    """The folder, whole; without an adapter where none was better than the model as it was."""
    said = said_of(due)
    with put_folder_into_place(due.folder) as unfinished:
        sha256 = None
        if record["best_step"]:
            file = as_file(for_diffusers(values), said)
            sha256 = hashlib.sha256(file).hexdigest()
            (unfinished / LORA_FILE).write_bytes(file)
            (unfinished / COMFYUI_FILE).write_bytes(as_file(for_comfyui(values), said))
        text = json.dumps({**record, "sha256": sha256}, indent=1) + "\n"
        (unfinished / RECORD).write_text(text, encoding="utf-8")
