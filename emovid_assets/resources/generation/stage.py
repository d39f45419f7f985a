"""All generated videos of a domain: those that are run here and those that people have brought, together.

Belongs here: putting generators, prompts, characters and brought files together, for whoever builds and whoever counts.
Does not belong here: the work on any of them (`running`, `imported`), and rows (`assets.generated`).
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emovid_assets.core.generation.imported_names import Benchmark
from emovid_assets.core.generation.wanted import Character, Wanted, of_benchmark, of_characters
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import Settings
from emovid_assets.resources.compute import Item, Outcome
from emovid_assets.resources.file_faults import FileFault
from emovid_assets.resources.generation import generators, imported, running
from emovid_assets.resources.generation.brought import Brought, brought, characters_of
from emovid_assets.resources.generation.generators import Made, Source, items_of, sources_of
from emovid_assets.resources.generation.hashes import Hashes
from emovid_assets.resources.generation.imported import Imports, imports_of
from emovid_assets.resources.generation.pictures import Pictures
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.media import PROBE_LIMITS
from emovid_assets.resources.workplace import Workplace

Rows = Iterable[Mapping[str, Any]]
OF_BENCHMARK = ("clip_id", "split", "emotion", "prompt", "first_frame_path")
"""Columns of `benchmark_split` that are needed."""


@dataclass
class Stage:
    """What a domain is to have. `wanted`: (video, generator) by video id; `lacking`: why a generator of the domain has
    fewer videos than it could, `remarks`: what came otherwise than asked, once it ran, both as sentences;
    `is_estimate`: files have not been read, so that videos that are there may count as wanted."""

    domain: str
    found: Brought
    wanted: dict[str, tuple[Wanted, Source]] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    imports: Imports = field(default_factory=Imports)
    imported_items: list[Item] = field(default_factory=list)
    faults: list[FileFault] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    is_estimate: bool = False


def stage_of(
    project: Workplace,
    domain: str,
    rows: list[dict[str, Any]],
    others: Callable[[], Iterable[Rows]],
    *,
    reads: bool = True,
) -> Stage:
    """By rows of `benchmark_split`; `others` gives those of the other domains. `reads`: whether files whose content is
    not known are read, which takes minutes for a large model, and the hub is asked for what is not here."""
    settings, home = project.settings, project.home

    def prepared(store: ItemStore) -> Stage:
        return _stage(home, settings, domain, rows, others, store, Hashes(store, reads=reads))

    found: Stage = project.with_store(prepared)
    return found


def _stage(
    home: Home,
    settings: Settings,
    domain: str,
    rows: list[dict[str, Any]],
    others: Callable[[], Iterable[Rows]],
    store: ItemStore,
    hashes: Hashes,
) -> Stage:
    stage = Stage(domain, brought(home))
    models = settings.generation.models
    characters: list[Character] = []
    if domain == "sticker":
        pictures = Pictures(store, settings.media.max_pixels, reads=hashes.reads)
        characters, stage.faults = characters_of(home, stage.found, pictures.fault_of)
    if models:
        made = Made.of(store, domain)
        for source in sources_of(home, domain, models, hashes):
            wanted = _wanted(source, rows, characters, stage)
            stage.wanted |= {one.video_id: (one, source) for one in wanted}
            stage.items += items_of(home, source, wanted, hashes, made)
    if stage.found.videos or stage.found.tables:
        taken = {name: f'generation.models "{source.name}"' for name, (_, source) in stage.wanted.items()}
        stage.imports = imports_of(home, stage.found, domain, Benchmark(rows), lambda: map(Benchmark, others()), taken)
        stage.faults += stage.imports.faults
        stage.imported_items = imported.items_of(home, stage.imports, stage.found, limits_of(settings), hashes)
    stage.is_estimate = hashes.is_guess
    return stage


def _wanted(source: Source, rows: Rows, characters: list[Character], stage: Stage) -> list[Wanted]:
    one = source.settings
    if one.prompts == "characters":
        if not characters:
            stage.lacking.append(f"{one.name}: no characters yet: put pictures into library/characters")
        without_picture = [character.name for character in characters if character.picture_path is None]
        if one.task == "i2v" and without_picture:
            stage.lacking.append(
                f"{one.name}: no videos of {', '.join(without_picture)}: i2v begins with a picture of that name"
            )
        return list(of_characters(characters, one.name, one.task, one.seeds))
    wanted = list(of_benchmark(rows, one.name, one.task, one.seeds))
    without = sum(row["split"] == "benchmark" for row in rows) - len({video.clip_id for video in wanted})
    if without:
        stage.lacking.append(f"{one.name}: {without} clips of the benchmark have no first frame that shows anything")
    return wanted


def limits_of(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings.media, name) for name in PROBE_LIMITS}


def run_and_read(project: Workplace, stage: Stage, log: logging.Logger) -> tuple[Outcome, Outcome]:
    """(what generators made, what was read of brought files); whoever only counts has neither done."""
    made = running.run(project, stage.domain, stage.items, log, stage.remarks)
    read = imported.read(project, stage.domain, stage.imported_items, limits_of(project.settings), log)
    return made, read


def forget_others(project: Workplace, stage: Stage) -> None:
    """Of videos that nobody asks for any more (`generators.forget_lost`)."""
    home = project.home
    project.with_store(lambda store: generators.forget_lost(home, store, stage.domain, stage.wanted))
