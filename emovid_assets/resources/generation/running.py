"""Runs generators over the videos that are wanted of them: one model in memory, one video at a time.

Belongs here: loading when another generator's turn comes, what becomes of a video that fails, progress. Does not belong
here: the model (`core.generation.generator`), keys (`generators`), files (`video_files`).

What is wrong with a generator (no model, no memory, an adapter that does nothing) ends all that is left of its videos,
and the other generators go on; the next build tries again. What is wrong with a video ends that one.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.generation import first_frames
from emovid_assets.core.generation.frame_counts import rounding_told
from emovid_assets.core.generation.generator import (
    Generator as Model,
)
from emovid_assets.core.generation.generator import (
    Loading,
    Request,
    load,
    out_of_memory_told,
    versions_told,
)
from emovid_assets.core.generation.wanted import Wanted, random_seed
from emovid_assets.core.model_place import ModelNotUsableError
from emovid_assets.core.plain_text import for_terminal
from emovid_assets.core.video.errors import MediaError, sentence
from emovid_assets.core.video.stills import still_frame
from emovid_assets.core.vlm.halving import is_out_of_memory
from emovid_assets.home.folders import Home
from emovid_assets.resources.compute import BatchStep, Item, Outcome
from emovid_assets.resources.generation.generators import NOTES, STEP, Source, weight_of
from emovid_assets.resources.generation.video_files import SUFFIX, pictures_of, write_video
from emovid_assets.resources.progress import progress_for, span
from emovid_assets.resources.workers import Done, Task
from emovid_assets.resources.workplace import Workplace

VERSION = "1"
UNUSABLE = "generator_unusable"
"""The code of videos whose generator does not run: nothing is wrong with themselves."""


def run(project: Workplace, domain: str, items: Iterable[Item], log: logging.Logger, remarks: list[str]) -> Outcome:
    """The videos of the items; those that are there are not made again. `remarks` gets sentences on generators that
    make something else than is asked of them."""
    settings, home = project.settings, project.home
    device, max_pixels = settings.generation.device, settings.media.max_pixels

    def all_of(tasks: Iterable[Task], known: Task | None) -> Generator[list[Done]]:
        runner = _Runner(home, device, max_pixels, log, domain, remarks)
        try:
            for item_id, arguments in runner.in_turn(tasks):
                yield [runner.done(item_id, **arguments)]
        finally:
            runner.release()

    step = BatchStep(STEP, VERSION, "per item", all_of)
    # Else one generator that cannot run would take away the videos of all others.
    return project.compute(step, domain, items, log, keep_others=True, never_asked=(UNUSABLE,))


class _Runner:
    """Holds the model whose turn it is."""

    def __init__(
        self, home: Home, device: str, max_pixels: int, log: logging.Logger, domain: str, remarks: list[str]
    ) -> None:
        self._home, self._device, self._log, self._domain = home, device, log, domain
        self._remarks = remarks
        self._max_pixels = max_pixels
        self._model: Model | None = None
        self._loaded_as: str | None = None
        self._faults: dict[str, str] = {}
        self._told = progress_for(log)
        self._left: dict[str, list[float]] = defaultdict(list)
        self._prompts: dict[str, set[str]] = defaultdict(set)
        self._spent: dict[str, tuple[int, float, float]] = {}

    def in_turn(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """The tasks, once it is known how many there are of each generator."""
        waiting = list(tasks)
        for _, arguments in waiting:
            source: Source = arguments["source"]
            self._left[source.key].append(weight_of(source.settings))
            self._prompts[source.loaded_as].add(arguments["wanted"].prompt)
        yield from waiting

    def done(self, item_id: str, *, wanted: Wanted, source: Source, first_frame: Path | None) -> Done:
        fault = source.fault or self._faults.get(source.loaded_as) or self._faults.get(source.key)
        began = time.monotonic()
        try:
            if fault is not None:
                raise MediaError(UNUSABLE, fault)
            payload = self._made(self._turn_of(source), item_id, wanted, source, first_frame)
        except MediaError as error:
            self._left[source.key].pop()
            return Done(item_id, None, error.code, sentence(error.code, error.detail))
        self._say_how_far(source, time.monotonic() - began)
        return Done(item_id, payload)

    def release(self) -> None:
        if self._model is not None:
            self._model.release()
        self._model = self._loaded_as = None

    def _turn_of(self, source: Source) -> Model:
        """The model of a generator. Raises MediaError `generator_unusable`, now and for all that is left of it."""
        if self._model is not None and self._loaded_as == source.loaded_as:
            return self._model
        self.release()
        one, place = source.settings, source.place
        assert place is not None
        began = time.monotonic()
        try:
            loading = Loading(place, source.adapters, one.dtype, one.offload, self._device, one.tiles)
            self._model, self._loaded_as = load(loading), source.loaded_as
        except ModelNotUsableError as error:
            raise self._ended(source.loaded_as, str(error)) from error
        told = f"{source.name}: {place.model_id} is loaded as {self._model.dtype} in {time.monotonic() - began:.0f} s"
        self._log.info(for_terminal(told))
        if rounding := rounding_told(self._model.pipeline_class, one.frames):
            self._warn(f"{source.name}: {rounding}")
        for cut in self._model.cuts_told(self._prompts[source.loaded_as], one.options):
            self._warn(f"{source.name}: {cut}")
        return self._model

    def _warn(self, sentence: str) -> None:
        self._log.warning(sentence)
        self._remarks.append(f"{sentence}.")

    def _ended(self, key: str, fault: str) -> MediaError:
        self._faults[key] = fault
        self.release()
        return MediaError(UNUSABLE, fault)

    def _made(
        self, model: Model, item_id: str, wanted: Wanted, source: Source, first_frame: Path | None
    ) -> dict[str, Any]:
        one, place = source.settings, source.place
        assert place is not None
        request = Request(
            wanted.prompt,
            random_seed(wanted.prompt, wanted.seed),
            one.width_px,
            one.height_px,
            one.frames,
            one.steps,
            one.guidance,
            one.negative_prompt,
            None if first_frame is None else self._fitted(first_frame, one.width_px, one.height_px),
            one.options,
        )
        began = time.monotonic()
        frames = self._asked(model, request, source)
        model_s = time.monotonic() - began
        target = self._home.generated / source.name / f"{item_id}{SUFFIX}"
        pictures = pictures_of(frames)
        del frames
        return {
            **write_video(self._home.root, target, pictures, one.fps, is_sticker=wanted.character is not None),
            "requested_frame_count": one.frames,
            "model_id": place.model_id,
            "model_revision": place.revision,
            "adapters": [
                {"name": adapter.name, "weight": adapter.weight, "sha256": adapter.sha256}
                for adapter in source.adapters
            ],
            "dtype": model.dtype,
            "pipeline_class": model.pipeline_class,
            "versions": versions_told(),
            "model_s": round(model_s, 3),
            NOTES: {
                "identity": source.identity,
                "generator": source.name,
                "weight": weight_of(one),
                "seconds": time.monotonic() - began,
            },
        }

    def _asked(self, model: Model, request: Request, source: Source) -> np.ndarray:
        told = f"{source.name} [{self._domain}] steps"
        try:
            return model.make(request, lambda step, steps: self._told(told, step, steps))
        except ModelNotUsableError as error:
            raise MediaError("generator_refused", str(error)) from error
        # Whatever pipelines raise is this video's end, not that of the build.
        except Exception as error:
            if is_out_of_memory(error):
                assert source.place is not None
                told = out_of_memory_told(source.place.model_id, source.settings.offload)
                raise self._ended(source.key, told) from error
            first = (str(error).strip().splitlines() or [""])[0]
            if "CUDA error" in first:
                # The GPU is lost to this process: every later video would fail for no fault of its own.
                raise self._ended(source.loaded_as, f"The GPU has stopped working in this process: {first}") from error
            raise MediaError("generator_refused", f"{type(error).__name__}: {first}") from error

    def _fitted(self, path: Path, width: int, height: int) -> np.ndarray:
        """Raises MediaError where the picture cannot be read."""
        try:
            return first_frames.fitted(still_frame(path, max_pixels=self._max_pixels).to_ndarray(), width, height)
        except FileNotFoundError as error:
            raise MediaError("vanished", "The first frame is gone") from error
        except PermissionError as error:
            raise MediaError("unreadable", "The first frame: permission denied") from error

    def _say_how_far(self, source: Source, seconds: float) -> None:
        """How many are made, and about how long the others take: by the work of those that this generator has made,
        and of others by what all have."""
        left, name = self._left, source.key
        weight = left[name].pop()
        count, spent_s, done = self._spent.get(name, (0, 0.0, 0.0))
        self._spent[name] = (count + 1, spent_s + seconds, done + weight)
        everywhere = (sum(one[1] for one in self._spent.values()), sum(one[2] for one in self._spent.values()))
        rates = {one: spent / made for one, (_, spent, made) in self._spent.items()}
        rate = everywhere[0] / everywhere[1]
        remaining_s = sum(rates.get(one, rate) * sum(weights) for one, weights in left.items())
        count, spent_s, _ = self._spent[name]
        told = f"{count} of {count + len(left[name])} videos, {spent_s / count:.1f} s each"
        self._log.info(f"{source.name} [{self._domain}]: {told}; all that is left takes about {span(remaining_s)}")
