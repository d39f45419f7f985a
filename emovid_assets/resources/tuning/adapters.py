"""The adapters of the settings, one after another: what is wrong with one is said, and the others go on.

Belongs here: what tables say of clips, for all adapters. Does not belong here: one training (`trainings`).
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from emovid_assets.core.clip_content import OF_FRAMES
from emovid_assets.core.identity import source_of
from emovid_assets.core.model_place import ModelNotUsableError
from emovid_assets.core.tuning.loop import TuningFailedError
from emovid_assets.core.tuning.recipe import NotEnoughClipsError
from emovid_assets.core.vlm.halving import is_out_of_memory
from emovid_assets.home.settings import TunedAdapterSettings
from emovid_assets.resources.generation.hashes import Hashes
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.tuning.trainings import (
    FAMILY,
    Due,
    Trained,
    due_of,
    lacks_files,
    rate_of,
    steps_left,
    trained,
)
from emovid_assets.resources.workplace import Workplace
from emovid_assets.tables.columns import rows_of


@dataclass(frozen=True)
class Absent:
    """Why an adapter cannot be trained, a sentence. `may_pass`: whether it may be otherwise the next time, although
    nothing that the table is made from has changed."""

    why: str
    may_pass: bool


@dataclass(frozen=True)
class Adapter:
    """An adapter of the settings that is there."""

    settings: TunedAdapterSettings
    trained: Trained


def adapters_of(project: Workplace, log: logging.Logger) -> tuple[list[Adapter], list[str], int]:
    """(the adapters, why others are not there, steps that were trained)."""
    found, missing, steps = [], [], 0
    for one, due in all_due(project, reads=True):
        if isinstance(due, Absent):
            log.warning(due.why)
            missing.append(due.why)
            continue
        try:
            made, taken = trained(project, due, log)
        except (ModelNotUsableError, TuningFailedError, OSError, RuntimeError, MemoryError) as error:
            why = why_not(one, error)
            log.warning(why)
            missing.append(why)
            continue
        steps += taken
        found.append(Adapter(one, made))
    return found, missing, steps


def why_not(one: TunedAdapterSettings, error: Exception) -> str:
    """What stopped a training, as a sentence. Raises the error where it is one of the program."""
    if isinstance(error, OSError):
        return f"{one.name}: {error}: check free space and permissions, and build again"
    if is_out_of_memory(error):
        return (
            f"{one.name}: out of memory: take a smaller rank, fewer frames, smaller width_px and height_px, or fewer "
            "batch_clips"
        )
    if isinstance(error, ModelNotUsableError | TuningFailedError):
        said = str(error)
        return said if said.startswith(f"{one.name}: ") else f"{one.name}: {said}"
    raise error


def all_due(project: Workplace, *, reads: bool) -> Iterator[tuple[TunedAdapterSettings, Due | Absent]]:
    """The training that each adapter of the settings asks for, or why there can be none.

    `reads`: whether files whose content is not known are read, and the hub is asked.
    """
    adapters = project.settings.tuning.adapters
    if not adapters:
        return
    rows = [row for row in rows_of(project.read("training_sets")) if row["set_id"] == FAMILY.name]
    media = {row["clip_id"]: row for row in rows_of(project.read("clip_media"), ("clip_id", "media_path", *OF_FRAMES))}
    of_source = rows_of(project.read("source_videos"), ("source_id", "license"))
    license_of = {row["source_id"]: row["license"] for row in of_source}
    licences = {clip_id: license_of.get(source_of(clip_id)) for clip_id in media}

    def due(one: TunedAdapterSettings, store: ItemStore) -> Due | Absent:
        try:
            return due_of(project, one, rows, media, licences, Hashes(store, reads=reads))
        except NotEnoughClipsError as error:
            return Absent(str(error), may_pass=False)
        except ModelNotUsableError as error:
            return Absent(str(error), may_pass=True)
        except OSError as error:
            return Absent(f'tuning.adapters "{one.name}": {one.model} cannot be read: {error}', may_pass=True)

    for one in adapters:
        yield one, project.with_store(partial(due, one))


@dataclass(frozen=True)
class Left:
    """Steps that the trainings of the settings still take at most, one for each whose model is not there to tell, or
    whose files have gone: it is tried again. `is_known`: whether there is none of these. `seconds`: about how long, by
    what steps of as many pixels took before; null where none were taken."""

    steps: int
    is_known: bool
    seconds: float | None


def left(project: Workplace) -> Left:
    found = [due for _, due in all_due(project, reads=False)]
    untold = sum(one.may_pass if isinstance(one, Absent) else lacks_files(project, one) for one in found)
    due = [one for one in found if isinstance(one, Due)]
    steps = {one.name: steps_left(one) for one in due}
    rate = rate_of(project)
    work = sum(steps[one.name] * one.work_of_step for one in due)
    return Left(sum(steps.values()) + untold, not untold, None if rate is None or untold else rate * work)
