"""The YAML at the head of a release's README.md, which hubs show and `datasets` reads.

Belongs here: its keys, and how `datasets` is told which files are which split. Does not belong here: the card beneath
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from emovid_assets.core.release import layout
from emovid_assets.core.release.parts import Split

KNOWN_SUFFIX: Final = ".mp4"
"""Of our files, what `datasets` (5.2) knows as a video: WebM it takes for sound."""
TASKS: Final = ("text-to-video", "image-to-video", "video-classification")
TAGS: Final = ("emotion", "affective-computing", "video", "croissant")
_SIZES: Final = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
)
GATE_PROMPT: Final = (
    "The videos are given for non-commercial academic research. The licence of each clip is in the data and goes "
    "before this sentence. Do not pass the videos on, and do not use them to identify people or to manipulate them."
)
GATE_FIELDS: Final[Mapping[str, Any]] = {
    "Name": "text",
    "Affiliation": "text",
    "Country": "country",
    "I want to use it for": {
        "type": "select",
        "options": ["Research", "Education", {"label": "Something else", "value": "other"}],
    },
    "I have read LICENSE.md and keep to the licence of each clip": "checkbox",
}
"""What a hub asks of whoever wants access. The YAML does not switch that on: it is a setting of the repository."""


@dataclass(frozen=True)
class CardFacts:
    """What the YAML says. `hub_licences` are ids of the hub's own list (`cc-by-4.0`), of all clips that have a file;
    one that the list does not have is `other`. `label_sources` are `human`, `vlm` or both."""

    pretty_name: str
    splits: Sequence[Split]
    hub_licences: Sequence[str]
    license_name: str
    languages: Sequence[str] = ("en",)
    label_sources: Sequence[str] = ("human", "vlm")
    is_gated: bool = True


def front_matter(facts: CardFacts) -> str:
    """The YAML with the lines of three hyphens around it; what follows it is the card. The same facts give the same
    bytes. Raises ValueError where a release has no rows, as nothing could read it."""
    given: dict[str, Any] = {"pretty_name": facts.pretty_name}
    given |= _licence(facts)
    given |= {
        "language": list(facts.languages),
        "tags": list(TAGS),
        "task_categories": list(TASKS),
        "size_categories": [size_category(sum(split.clip_count for split in facts.splits))],
        "annotations_creators": _annotators(facts.label_sources),
        "source_datasets": ["original"],
    }
    if facts.is_gated:
        given |= {"extra_gated_prompt": GATE_PROMPT, "extra_gated_fields": dict(GATE_FIELDS)}
    files = [{"split": split.name, "path": paths} for split, paths in data_files(facts.splits)]
    given["configs"] = [{"config_name": "default", "default": True, "data_files": files}]
    return f"---\n{yaml.safe_dump(given, sort_keys=False, allow_unicode=True, width=120)}---\n"


def data_files(splits: Sequence[Split]) -> list[tuple[Split, str | list[str]]]:
    """Each split that has rows with the patterns of its files. Raises ValueError where none has any.

    `datasets` chooses its reader by the commonest suffix among the files of each split, and wants the same for all. So
    only files that it knows as videos are named, and a split without one, which it would read as Parquet, borrows one
    of another split: which clip is whose it takes from the rows, wherever their files are. Where no split has one, all
    are read as Parquet.
    """
    filled = [split for split in splits if split.clip_count]
    if not filled:
        raise ValueError("A release without a clip cannot be read by anything: label clips and build first.")
    known = {split.name: file for split in filled if (file := split.files.get(KNOWN_SUFFIX))}
    if not known:
        return [(split, f"{split.name}/{layout.METADATA}") for split in filled]
    borrowed = next(f"{name}/{file}" for name, file in known.items())
    return [
        (
            split,
            [f"{split.name}/{layout.METADATA}", f"{split.name}/*/*{KNOWN_SUFFIX}" if split.name in known else borrowed],
        )
        for split in filled
    ]


def size_category(count: int) -> str:
    """The hub's word for a number of rows."""
    return next((word for limit, word in _SIZES if count < limit), "n>1T" if count >= 10**12 else "1B<n<10B")


def _licence(facts: CardFacts) -> dict[str, str]:
    licences = set(facts.hub_licences)
    if len(licences) == 1 and "other" not in licences:
        return {"license": licences.pop()}
    return {"license": "other", "license_name": facts.license_name, "license_link": layout.LICENSE}


def _annotators(sources: Sequence[str]) -> list[str]:
    words = {"human": "crowdsourced", "vlm": "machine-generated"}
    return [word for source, word in words.items() if source in sources]
