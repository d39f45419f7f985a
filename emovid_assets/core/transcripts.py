"""Words that are spoken in a clip, from a subtitle file beside its source.

Belongs here: reading SubRip and WebVTT, and what falls into a clip. Does not belong here: hearing words in sound.
"""

import html
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".srt", ".vtt")
LONGEST = 400
"""Characters of a transcript in a prompt: a clip of half a minute of quick talk."""

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMING = re.compile(rf"{_TIME}\s*-->\s*{_TIME}")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")


@dataclass(frozen=True)
class Cue:
    """What is said from `start_s` to `end_s` of the source."""

    start_s: float
    end_s: float
    text: str


def names_beside(source: str) -> tuple[str, ...]:
    """Where the subtitle file of a source may be, `.srt` before `.vtt`: the first that is there counts."""
    stem = os.path.splitext(source)[0]
    return tuple(stem + suffix for suffix in SUFFIXES)


def beside(source: Path) -> Path | None:
    """The subtitle file of a source."""
    return next((path for name in names_beside(str(source)) if (path := Path(name)).is_file()), None)


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
    """What is said within [start_s, end_s), cut at a word to `LONGEST` characters; empty where nothing is."""
    words = " ".join(cue.text for cue in cues if cue.start_s < end_s and cue.end_s > start_s)
    words = " ".join(words.split())
    return words if len(words) <= LONGEST else words[: words.rfind(" ", 0, LONGEST - 1)] + "…"
