"""The data card of a release: what is in it, how it came to be, how far it can be trusted, what may be done with it.

Belongs here: the words, of facts that are given. Does not belong here: finding the facts (`resources.release.facts`),
the YAML above the card (`front_matter`).

Its sections are those of Datasheets for Datasets (Gebru et al., 2021) and of the Hub's dataset cards, in their order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.plain_text import for_markdown

PAPER = (
    "Zongyang Qiu, Bingyuan Wang, Xingbei Chen, Yingqing He, Zeyu Wang: EmoVid: A Multimodal Emotion Video Dataset for "
    "Emotion-Centric Video Understanding and Generation. arXiv:2511.11002, 2025."
)
SPLIT_MEANINGS = {
    "train": "to train on; nothing of it shares a source, film, bytes or looks with the benchmark",
    "benchmark": "to test on: by people labelled twice, up to ten a domain and emotion",
    "unused": "labelled, but in neither: near the benchmark, or above the limit of the training split",
}
USES = (
    "research on the recognition of emotions that videos are meant to evoke or show",
    "training and testing emotion-conditioned generation of video, with the benchmark split held out",
    "statistics of colour, cutting, captions and emotions in films, animations and stickers",
)
FORBIDDEN = (
    "to infer what a person who is shown really feels or felt, or to identify people",
    "to judge people: in work, school, law, insurance, health or at borders",
    "to steer people's emotions without their knowledge, such as in advertising or politics",
    "to train on the split `benchmark` and publish results on it",
    "to give media on under other terms than those of their own licence",
)
NON_COMMERCIAL = "to use clips commercially whose licence is non-commercial, or which state none"
LIMITS = (
    "One emotion a clip, of eight: mixed feelings and those without a word among the eight are lost.",
    "Emotions are those that a clip shows or evokes in its annotators, not those of all viewers; culture and language "
    "change both.",
    "Labels whose `label_source` is `vlm` are those of a model: its mistakes are systematic, and `label_confidence` is "
    "its own.",
    "Captions are a model's. A caption of `embedded/...` says what was measured, not what is depicted.",
    "A clip is cut where the picture changes, not where the emotion does.",
)
PERSONAL = (
    "Clips of films show actors and, in documentaries, other people. Nobody was named by this project; credits are "
    "those of the sources. Annotators are known by pseudonyms under a key that is not released."
)


@dataclass(frozen=True)
class Agreement:
    """A statistic over the blind validation clips, with its 95 % interval; null where it could not be had."""

    scope: str
    statistic: str
    value: float | None
    low: float | None
    high: float | None
    clip_count: int


@dataclass(frozen=True)
class CardFacts:
    """What a card says. Counts are of this release's clips.

    `domains`: by domain clips, clips with media, hours, share with sound. `splits`, `emotions`, `sources_of_labels`:
    count by (what, domain). `models`: (role, model, revision, clips). `licences`: (id, sources, clips, clips with
    media). `origins`: (origin, sources, clips). `left_out`: (domain, reason, clips). `protocol`, `warnings`, `reasons`:
    sentences.
    """

    name: str
    version: str
    tier: str
    created_on: str
    previous: str | None
    bump: str
    reasons: Sequence[str]
    clip_count: int
    media_count: int
    domains: Mapping[str, tuple[int, int, float, float]]
    splits: Mapping[tuple[str, str], int]
    emotions: Mapping[tuple[str, str], int]
    sources_of_labels: Mapping[tuple[str, str], int]
    models: Sequence[tuple[str, str, str, int]]
    people: Mapping[str, tuple[int, int]]
    agreement: Sequence[Agreement]
    licences: Sequence[tuple[str, int, int, int]]
    origins: Sequence[tuple[str, int, int]]
    left_out: Sequence[tuple[str, str, int]]
    decision_count: int
    is_non_commercial: bool
    protocol: Sequence[str]
    warnings: Sequence[str]
    software: str
    shards: bool = False
    tables: Sequence[str] = field(default_factory=tuple)


def card(facts: CardFacts, front_matter: str) -> str:
    """README.md, the YAML first."""
    parts = [
        front_matter.rstrip("\n"),
        f"# {for_markdown(facts.name)} {facts.version}",
        _summary(facts),
        *_warnings(facts),
        "## Composition",
        *_composition(facts),
        "## Loading",
        _loading(facts),
        "## Collection",
        *_collection(facts),
        "## Annotation",
        *_annotation(facts),
        "## Agreement of annotators",
        *_agreement(facts),
        "## Known limits",
        _bullets(LIMITS),
        "## Personal and sensitive information",
        PERSONAL,
        "## Licences",
        *_licences(facts),
        "## Uses",
        "Meant for:",
        _bullets(USES),
        "Not to be used:",
        _bullets([*FORBIDDEN, *([NON_COMMERCIAL] if facts.is_non_commercial else [])]),
        "## Version",
        *_version(facts),
        "## Citation",
        "Cite the paper, and the version of this data:",
        _bullets(
            [PAPER, f"{for_markdown(facts.name)}, version {facts.version} ({facts.created_on}). {facts.software}."]
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(facts: CardFacts) -> str:
    media = "no media: what names, times, hashes and labels them, so that whoever has the sources can make them again"
    if facts.media_count:
        without = facts.clip_count - facts.media_count
        media = f"{facts.media_count:,} with their video file"
        media += f", {without:,} as metadata only" if without else ""
    return (
        f"Video clips of {_listed([name for name in DOMAINS if facts.domains.get(name, (0,))[0]])}, each with one of "
        f"eight emotions: {facts.clip_count:,} clips, {media}. Made by {facts.software} on {facts.created_on}."
    )


def _warnings(facts: CardFacts) -> list[str]:
    if not facts.warnings:
        return []
    return ["## Read this first", _bullets(_sentence(warning) for warning in facts.warnings)]


def _composition(facts: CardFacts) -> list[str]:
    rows = []
    for name in DOMAINS:
        if name in facts.domains:
            clips, media, hours, sound = facts.domains[name]
            rows.append((name, f"{clips:,}", f"{media:,}", f"{hours:.2f}", f"{sound:.0%}"))
    splits = [
        (f"`{split}`", *(f"{facts.splits.get((split, name), 0):,}" for name in DOMAINS), meaning)
        for split, meaning in SPLIT_MEANINGS.items()
    ]
    emotions = [(name, *(f"{facts.emotions.get((name, domain), 0):,}" for domain in DOMAINS)) for name in EMOTION_NAMES]
    return [
        table(("domain", "clips", "with media", "hours", "with sound"), rows),
        table(("split", *DOMAINS, "meaning"), splits),
        table(("emotion", *DOMAINS), emotions),
        "Every column, with its unit and meaning, is in `croissant.json`.",
    ]


def _loading(facts: CardFacts) -> str:
    files = ["`<split>/metadata.parquet`: a row per clip", "`clips.csv`: the same for people without tools"]
    if facts.media_count:
        files.append("`<split>/<domain>/<clip_id>.mp4` (or `.webm`): the clips")
    files.append("`load.py`: how to load it with datasets, PyTorch, DuckDB, polars, pandas, FiftyOne, Label Studio")
    files += [f"`tables/{name}.parquet`" for name in facts.tables]
    if facts.shards:
        files.append("`webdataset/`: the same clips as tar shards")
    files.append("`SHA256SUMS`: `sha256sum -c SHA256SUMS` proves that nothing has changed")
    lines = ["```python", "import datasets", "", 'clips = datasets.load_dataset("path/to/this/folder")', "```"]
    return "\n".join(lines) + "\n\n" + _bullets(files)


def _collection(facts: CardFacts) -> list[str]:
    rows = [(for_markdown(origin), f"{sources:,}", f"{clips:,}") for origin, sources, clips in facts.origins]
    return [table(("origin", "source videos", "clips"), rows), _bullets(facts.protocol[:2])]


def _annotation(facts: CardFacts) -> list[str]:
    models = [
        (role, for_markdown(model), for_markdown(revision[:12]), f"{clips:,}")
        for role, model, revision, clips in facts.models
    ]
    kinds = [
        (kind, *(f"{facts.sources_of_labels.get((kind, name), 0):,}" for name in DOMAINS)) for kind in ("human", "vlm")
    ]
    people = [(purpose, f"{people:,}", f"{answers:,}") for purpose, (people, answers) in facts.people.items()]
    return [
        _bullets(facts.protocol[2:]),
        "Where the final label is from:",
        table(("label_source", *DOMAINS), kinds),
        *(["Answers of people:", table(("purpose", "people", "answers"), people)] if people else []),
        *(["Models:", table(("answers", "model", "revision", "clips"), models)] if models else []),
    ]


def _agreement(facts: CardFacts) -> list[str]:
    if not facts.agreement:
        return ["No clip was labelled blind by several people, so nothing is known of their agreement."]
    rows = [
        (
            one.scope,
            one.statistic.replace("_", " "),
            _number(one.value),
            f"{_number(one.low)} to {_number(one.high)}" if one.low is not None else "",
            f"{one.clip_count:,}",
        )
        for one in facts.agreement
    ]
    return [
        "Over the blind validation clips of the library; intervals are 95 %, drawn by source video, and empty with too "
        "few of them. `vlm` is the labeller. The gap is what the paper's limit of 4 % is about.",
        table(("domain", "statistic", "value", "interval", "clips"), rows),
    ]


def _licences(facts: CardFacts) -> list[str]:
    rows = [
        (for_markdown(licence), f"{sources:,}", f"{clips:,}", f"{media:,}")
        for licence, sources, clips, media in facts.licences
    ]
    said = [
        "There is no single licence: each clip stays under that of its source (`license`, `license_id`, "
        "`attribution`), and `permission` says what this release holds of it and why. `licences.csv` lists every "
        "source; `LICENSE.md` says what each licence asks for. Give credit as `attribution` says.",
        table(("licence", "source videos", "clips", "with media"), rows),
    ]
    if facts.decision_count:
        said.append(
            f"In {facts.decision_count:,} cases a person has decided otherwise than the rules: `decisions.csv` names "
            "them and their reasons."
        )
    if facts.left_out:
        left = [(domain, f"{clips:,}", _sentence(reason)) for domain, reason, clips in facts.left_out]
        said += [
            "Of these clips nothing may be given away, so they are not here:",
            table(("domain", "clips", "why"), left),
        ]
    return said


def _version(facts: CardFacts) -> list[str]:
    rule = (
        "Versions follow a rule: *major* where data that were there are others or gone, *minor* where there are more, "
        "*patch* where the same data are written otherwise. A version never changes."
    )
    if facts.previous is None:
        return [rule, "This is the first."]
    return [rule, f"Since {facts.previous} ({facts.bump}):", _bullets(_sentence(reason) for reason in facts.reasons)]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table of cells that are escaped already; nothing where there are no rows."""
    found = list(rows)
    if not found:
        return ""
    lines = [header, ["---"] * len(header), *found]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _sentence(text: str) -> str:
    """Text that may hold words of others; its full stop means nothing to Markdown."""
    return for_markdown(text[:-1]) + "." if text.endswith(".") else for_markdown(text)


def _listed(names: Sequence[str]) -> str:
    plural = {"movie": "movies", "animation": "animations", "sticker": "stickers"}
    words = [plural[name] for name in names]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words) or "no domain"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
