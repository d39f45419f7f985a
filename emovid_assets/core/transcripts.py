"""Words that are spoken in a clip, from a subtitle file beside its source.

Belongs here: which file that is, reading SubRip and WebVTT, and what falls into a clip. Does not belong here: hearing
words in sound.
"""

import html
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from emovid_assets.core import side_files
from emovid_assets.core.file_names import Names
from emovid_assets.core.plain_text import LONGEST_QUOTATION, for_prompt

SUFFIXES = (".srt", ".vtt")
MOST_TAGS = 3
"""Of `film.en.sdh.default.srt`, the longest names that media centres write."""
_FOR_THE_DEAF = frozenset({"sdh", "hi", "cc"})
_PARTS = frozenset({"forced", "foreign"})
_LANGUAGES = (
    "arabic|chinese|czech|danish|dutch|english|finnish|french|german|greek|hebrew|hindi|hungarian|indonesian|italian"
    "|japanese|korean|norwegian|persian|polish|portuguese|romanian|russian|spanish|swedish|thai|turkish|ukrainian"
    "|vietnamese"
)
_TAG = re.compile(
    rf"[a-z]{{2,3}}(?:[-_][\w-]+)?|{_LANGUAGES}|{'|'.join(sorted(_FOR_THE_DEAF | _PARTS))}|default|full|auto"
)
"""A language, as BCP 47, ISO 639 or people write it, or what a subtitle is for; in lower case."""

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMING = re.compile(rf"{_TIME}\s*-->\s*{_TIME}")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")


@dataclass(frozen=True)
class Cue:
    """What is said from `start_s` to `end_s` of the source."""

    start_s: float
    end_s: float
    text: str


def of_media(media: Iterable[str], subtitles: Iterable[str]) -> dict[str, list[str]]:
    """The subtitle files of each medium, the best first; all names are of one folder, and media without one are absent.

    A subtitle belongs to the media of its stem, or to those of what is left when languages and flags are cut off its
    end: `film.srt`, `film.pt-BR.srt` and `film.en.forced.srt` belong to `film.mp4`, unless there is a `film.en.mp4`.
    """
    by_stem: dict[str, list[str]] = {}
    for name in media:
        by_stem.setdefault(os.path.splitext(name)[0], []).append(name)
    names, found = Names(by_stem), dict[str, list[tuple[tuple[int, bool, int, str], str]]]()
    for subtitle in subtitles:
        stem, suffix = os.path.splitext(subtitle)
        match = names.find(*_stems(stem))
        if match is None:
            continue
        rank = (*_rank(stem[len(match[0]) + 1 :].lower()), SUFFIXES.index(suffix.lower()), subtitle)
        for name in by_stem[match[1]]:
            found.setdefault(name, []).append((rank, subtitle))
    return {name: [subtitle for _, subtitle in sorted(ranked)] for name, ranked in found.items()}


def _stems(stem: str) -> Iterator[str]:
    """The stem, then what is left of it when one, two and three tags are cut off."""
    yield stem
    for _ in range(MOST_TAGS):
        stem, dot, tag = stem.rpartition(".")
        if not (dot and stem and _TAG.fullmatch(tag.lower())):
            return
        yield stem


def _rank(tags: str) -> tuple[int, bool]:
    """Without a tag; then what has all words, in English before other languages; for the deaf; foreign parts alone."""
    language, _, flags = tags.partition(".")
    # `hi` is Hindi where no language stands before it.
    marks = {*flags.split("."), *({language} - {"hi"})}
    kind = 3 if marks & _PARTS else 2 if marks & _FOR_THE_DEAF else 1 if tags else 0
    return kind, bool(tags) and not language.startswith("en")


def is_subtitle(name: str) -> bool:
    """Whether a file of this name is read for what is said."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


class Folder(NamedTuple):
    """What was found in a folder: names of media and of subtitle files, and `of_media` of them."""

    media: frozenset[str]
    subtitles: tuple[str, ...]
    of_media: dict[str, list[str]]


def beside(source: Path, known: dict[Path, Folder] | None = None) -> Path | None:
    """The subtitle file of a source, whether the source is there or not.

    `known`: folders that were looked at before; whoever asks for many sources keeps it, for as long as that takes.
    """
    known = {} if known is None else known
    folder = known.get(source.parent) or known.setdefault(source.parent, _folder(source.parent))
    found = folder.of_media
    if folder.subtitles and source.name not in folder.media:
        found = of_media({*folder.media, source.name}, folder.subtitles)
    return source.with_name(found[source.name][0]) if source.name in found else None


def _folder(path: Path) -> Folder:
    try:
        with os.scandir(path) as entries:
            names = [entry.name for entry in entries if entry.is_file()]
    except OSError:
        names = []
    media = frozenset(name for name in names if side_files.kind_of(name) is None)
    subtitles = tuple(filter(is_subtitle, names))
    return Folder(media, subtitles, of_media(media, subtitles))


def read_cues(path: Path) -> list[Cue]:
    """Cues in the order of the file; what is no cue (headers, notes, numbers) is passed over, bad bytes replaced."""
    return list(_cues(path.read_text(encoding="utf-8-sig", errors="replace")))


def _cues(text: str) -> Iterator[Cue]:
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip().splitlines()
        place = next((index for index, line in enumerate(lines) if _TIMING.search(line)), None)
        if place is None:
            continue
        timing = _TIMING.search(lines[place])
        assert timing is not None
        words = " ".join(html.unescape(_MARKUP.sub("", line)).strip() for line in lines[place + 1 :]).strip()
        if words:
            yield Cue(_seconds(timing.groups()[:4]), _seconds(timing.groups()[4:]), words)


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + float(f"0.{fraction}")


def spoken(cues: list[Cue], start_s: float, end_s: float) -> str:
    """What is said within [start_s, end_s), cut to `LONGEST_QUOTATION` characters; empty where nothing is."""
    words = " ".join(cue.text for cue in cues if cue.start_s < end_s and cue.end_s > start_s)
    return for_prompt(words, LONGEST_QUOTATION)
