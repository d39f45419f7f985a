"""The generators of the settings: where their models and adapters are, and which videos are wanted of them, as items.

Belongs here: names of settings into places and keys, items of the step `generate`, what of the store is kept. Does not
belong here: making a video (`running`), and rows.

A key holds everything that can change a pixel: model, adapters, prompt, first frame, seed and `PIXEL_SETTINGS`. The
generator's name is part of the id, not of the key. So another seed or another generator makes no video again, and a
setting of a generator makes its own again, and no other's.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.generation.adapters import Adapter
from emovid_assets.core.generation.wanted import Wanted
from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace, find_pipeline, is_of_a_folder
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import AdapterSettings, GeneratorSettings
from emovid_assets.home.settings_groups import digest
from emovid_assets.resources.compute import Item
from emovid_assets.resources.generation.hashes import Hashes
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.made_files import are_whole

STEP, NOTES = "generate", "notes"
"""The step, and what of its payloads keys and estimates are made of: `identity`, `generator`, `weight`, `seconds`."""
PIXEL_SETTINGS = (
    *("width_px", "height_px", "frames", "fps", "steps", "guidance", "negative_prompt"),
    *("dtype", "tiles", "options"),
)
"""Keys of a generator that can change a pixel, beside its model and adapters."""
LORA_FILE = "pytorch_lora_weights.safetensors"
"""What diffusers and most trainers call an adapter in a repository of the hub."""


@dataclass(frozen=True)
class Source:
    """A generator and what its names stand for. `fault`: why it cannot run, a sentence; null where nothing is known
    against it. `identity`: of its model and adapters, part of keys; null where they are not there."""

    settings: GeneratorSettings
    place: ModelPlace | None = None
    adapters: tuple[Adapter, ...] = ()
    fault: str | None = None

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def key(self) -> str:
        """One name may stand for a generator of each task."""
        return f"{self.settings.name} {self.settings.task}"

    @property
    def identity(self) -> str | None:
        if self.fault is not None or self.place is None:
            return None
        adapters = ",".join(f"{adapter.sha256}*{adapter.weight:g}" for adapter in self.adapters)
        return f"{self.place.model_id}@{self.place.revision}+{adapters}"

    @property
    def pixel_digest(self) -> str:
        found = self.settings.model_dump(mode="json")
        return digest({name: found[name] for name in PIXEL_SETTINGS})

    @property
    def loaded_as(self) -> str:
        """Equal for generators that run the same weights in the same way: those are loaded once."""
        one = self.settings
        return json.dumps([self.identity, one.dtype, one.offload, one.tiles])


def sources_of(home: Home, domain: str, models: Iterable[GeneratorSettings], hashes: Hashes) -> list[Source]:
    """The generators whose videos a domain gets. What is wrong with one is said by its `fault`."""
    return [_source(home, model, hashes) for model in models if domain in domains_of(model)]


def domains_of(model: GeneratorSettings) -> Sequence[str]:
    """Stickers of characters are stickers."""
    return model.domains if model.prompts == "benchmark" else [name for name in model.domains if name == "sticker"]


def _source(home: Home, model: GeneratorSettings, hashes: Hashes) -> Source:
    setting = f'generation.models "{model.name}": model'
    try:
        place = find_pipeline(
            model.model, home.root, model.revision, hashes.of, setting=setting, is_offline=not hashes.reads
        )
        return Source(model, place, tuple(_adapter(home, model.name, one, hashes) for one in model.adapters))
    except ModelNotUsableError as error:
        return Source(model, fault=str(error))
    except OSError as error:
        return Source(model, fault=f"{setting} = '{model.model}' cannot be read: {error}")


def _adapter(home: Home, generator: str, one: AdapterSettings, hashes: Hashes) -> Adapter:
    path = Path(one.file).expanduser()
    path = path if path.is_absolute() else home.root / path
    if path.is_dir():
        path = path / LORA_FILE
    # An adapter may be called as a folder of the home is.
    if not path.is_file() and (trained := home.adapters / f"{one.file}.safetensors").is_file():
        path = trained
    if not path.is_file():
        path = _from_hub(home, generator, one, is_offline=not hashes.reads)
    return Adapter(one.name, path, one.weight, hashes.of(path))


def _from_hub(home: Home, generator: str, one: AdapterSettings, *, is_offline: bool) -> Path:
    """`owner/name`, or `owner/name/file.safetensors`."""
    owner, _, rest = one.file.partition("/")
    name, _, file = rest.partition("/")
    said = f"generation.models \"{generator}\": adapter {one.name}: '{one.file}' is no file below the home folder"
    is_path = one.file.startswith((".", "/", "~")) or is_of_a_folder(one.file, home.root)
    if not (owner and name) or is_path or name.endswith(".safetensors"):
        raise ModelNotUsableError(
            f"{said}, and no adapter of that name has been trained. Name a safetensors file, an adapter of "
            "[[tuning.adapters]] (the build after its training makes the videos), or an id of the hub as owner/name"
        )
    from transformers.utils.hub import cached_file

    with suppress(OSError, ValueError):
        if found := cached_file(f"{owner}/{name}", file or LORA_FILE, local_files_only=is_offline):
            return Path(found)
    raise ModelNotUsableError(f"{said}, and the hub does not give {file or LORA_FILE} of {owner}/{name}")


@dataclass
class Made:
    """What the store says of videos that are there, by id: of which model and adapters they are."""

    identities: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, store: ItemStore, domain: str) -> "Made":
        parts = store.finished_parts(STEP, domain, NOTES)
        return cls({name: notes["identity"] for name, notes in parts.items() if notes})


def items_of(home: Home, source: Source, wanted: Iterable[Wanted], hashes: Hashes, made: Made) -> Iterator[Item]:
    """An item a video. A generator whose model is gone keeps the videos that it has made."""
    for one in wanted:
        first_frame = None if one.first_frame_path is None else home.root / one.first_frame_path
        identity = source.identity or made.identities.get(one.video_id, "")
        parts = (identity, one.prompt_sha256, _content(first_frame, hashes), str(one.seed), source.pixel_digest)
        yield Item(
            one.video_id,
            content="|".join(parts),
            arguments={"wanted": one, "source": source, "first_frame": first_frame},
            path=f"{one.generator}/{one.clip_id or one.character}",
            weight=weight_of(source.settings),
            group=source.loaded_as,
        )


def _content(first_frame: Path | None, hashes: Hashes) -> str:
    if first_frame is None:
        return ""
    try:
        return hashes.of(first_frame)
    except OSError:
        # The step says what is the matter with it.
        return "gone"


def weight_of(model: GeneratorSettings) -> float:
    """How much work a video is, beside others of the same model."""
    return float(model.steps * model.frames * model.width_px * model.height_px)


def seconds_for(store: ItemStore, todo: Iterable[Source]) -> float | None:
    """About how long videos take, one of each source, by those that are made, of whichever domain: by the work of those
    that the same generator has made, else of all. Null where there are none, or nothing is to do."""
    spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for domain in DOMAINS:
        for notes in filter(None, store.finished_parts(STEP, domain, NOTES).values()):
            for one in (spent[notes["generator"]], spent[""]):
                one[0] += notes["seconds"]
                one[1] += notes["weight"]
    waiting = list(todo)
    if not waiting or not spent:
        return None
    made = {name: seconds / weight for name, (seconds, weight) in spent.items()}
    return sum(made.get(source.name, made[""]) * weight_of(source.settings) for source in waiting)


def forget_lost(home: Home, store: ItemStore, domain: str, wanted: Iterable[str]) -> None:
    """Of videos that nobody asks for any more: those that are whole stay, for settings that are set back, as they have
    cost hours; the others, and what failed, are forgotten."""
    keep = set(wanted)
    others = {name: sizes for name, (_, sizes) in store.finished_keys(STEP, domain).items() if name not in keep}
    whole = {name for name, sizes in others.items() if are_whole(home.root, sizes)}
    gone = [name for name in others if name not in whole]
    failed = [name for name in store.failed_keys(STEP, domain) if name not in keep]
    store.forget(STEP, [*gone, *failed])


def adapters_told(source: Source, payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The adapters of a video, under the names that they have now."""
    names = [one.name for one in source.settings.adapters]
    return [{**one, "name": name} for one, name in zip(payload["adapters"], names, strict=True)]
