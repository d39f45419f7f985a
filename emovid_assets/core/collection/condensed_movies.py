"""The metadata of Condensed Movies as it is published: CSV files that list videos of films.

Belongs here: reading them without loss, with what is odd in them. Does not belong here: which of the videos are
there, and how they are fetched.

Source: Bain et al., "Condensed Movies: Story Based Retrieval with Contextual Embeddings" (ACCV 2020),
github.com/m-bain/CondensedMovies. What is odd, in the 34,185 rows of its `clips.csv`: years are written `2012.0` or
are missing; ids may begin with `-`, and one has ten characters; 41 clips have no name; 901 have -1 as the number of
clips of their film; 554 rows share film and position with another one; 94 have no description, 154 no duration, and
539 durations belong to no clip; genres, countries and casts are Python literals, and only some films have them.
"""

import ast
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emovid_assets.core import cells
from emovid_assets.core.collection.terms import RESEARCH_ONLY, TERMS
from emovid_assets.core.file_names import Names
from emovid_assets.core.filled_tables import Columns, FilledTable, read_bytes
from emovid_assets.core.plain_text import quoted

ORIGIN = "condensed_movies"
FILE_PREFIX = "youtube-"
"""In front of the id in names of files: an id may begin with `-`, and programs would read it as an option."""
CLIPS = "clips.csv"
COLUMNS = {
    CLIPS: ("videoid", "year", "clip_idx", "clip_tot", "upload_year", "title", "clip_name", "imdbid"),
    "descriptions.csv": ("imdbid", "videoid", "description"),
    "durations.csv": ("videoid", "duration"),
    "movies.csv": ("imdbid", "title", "year"),
    "movie_info.csv": ("imdbid", "genre", "country"),
    "casts.csv": ("imdbid", "cast"),
    "split.csv": ("imdbid", "split"),
}
"""The columns that each file must have; all files but `clips.csv` may be absent."""
_DUMP = re.compile(r"youtube-dl-dump_(\d{4})\.csv|(\d{4})\.csv")
_BRACKETED = re.compile(r"\[([A-Za-z0-9_-]{4,64})\]")
_COPY = re.compile(r"(?: ?\(\d{1,2}\)|\.f\d{1,4}(?:-\d+)?)+$")
_DASH = re.compile(r"-(?: (?=\S))?")
_ID = re.compile(r"[A-Za-z0-9_-]{4,64}")
"""Ids of videos. One of the published ones lacks a character and is kept."""
_KEY = re.compile(r"(?=.*[0-9])[A-Za-z0-9_-]{9,11}")
"""A cell that is an id of a video or a film and no word of a description."""
ID_LENGTH = 11
"""Of the ids of YouTube."""


@dataclass(frozen=True)
class Video:
    """One wanted video. Null is what the metadata does not say.

    `film_position` and `film_video_count` are the place in the film and the number of videos that it is cut into.
    Several videos of a film may claim one position (`is_position_shared`): a position orders, it identifies nothing.
    `trim_s` is where the film ends in the video; an advert follows.
    """

    video_id: str
    film_id: str | None
    film_title: str | None
    name: str | None
    year: int | None
    film_position: int | None
    film_video_count: int | None
    is_position_shared: bool
    upload_year: int | None
    description: str | None
    trim_s: float | None
    genres: tuple[str, ...]
    countries: tuple[str, ...]
    split: str | None

    @property
    def title(self) -> str | None:
        """`<film>: <name of the video>`, of what is known."""
        return ": ".join(part for part in (self.film_title, self.name) if part) or None

    @property
    def is_animated(self) -> bool:
        """Whether the film is drawn: 905 of the published videos are."""
        return "Animation" in self.genres


@dataclass(frozen=True)
class Fault:
    """A row or a file that cannot be read as it should be, and why. Row 1 is the header; 0 is the whole file."""

    file: str
    row: int
    message: str


@dataclass
class Metadata:
    """Videos by id in the order of `clips.csv`, casts by film, and what the files hold beyond that."""

    videos: dict[str, Video] = field(default_factory=dict)
    casts: dict[str, dict[str, str]] = field(default_factory=dict)
    films: dict[str, tuple[str | None, int | None]] = field(default_factory=dict)
    other_durations: dict[str, float] = field(default_factory=dict)
    other_ids: tuple[str, ...] = ()
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.videos


def read_metadata(folder: Path) -> Metadata:
    """What the CSV files in a folder say; an absent folder says nothing.

    `other_durations` and `other_ids` belong to videos that `clips.csv` does not list: they are not collected, since
    nobody knows of which film they are. A row that cannot be read becomes a fault, all others count.
    """
    found = Metadata()
    if not folder.is_dir():
        return found
    clips = list(_rows(folder, CLIPS, found.faults))
    descriptions = _texts(folder, "descriptions.csv", "videoid", "description", found.faults)
    durations = _durations(folder, found.faults)
    splits = _texts(folder, "split.csv", "imdbid", "split", found.faults)
    genres = _lists(folder, found.faults)
    for number, row in _rows(folder, "movies.csv", found.faults):
        found.films.setdefault(row["imdbid"], (row["title"] or None, _whole(row["year"], "movies.csv", number, found)))
    found.casts = _casts(folder, found.faults)
    places = Counter((row["imdbid"], row["clip_idx"]) for _, row in clips if row["imdbid"] and row["clip_idx"])
    for number, row in clips:
        video_id = row["videoid"]
        if not _ID.fullmatch(video_id):
            found.faults.append(Fault(CLIPS, number, f"`videoid` is '{quoted(video_id)}', which is no id of a video"))
            continue
        if video_id in found.videos:
            found.faults.append(
                Fault(CLIPS, number, f"`videoid` {video_id} stands in an earlier row too; that one counts")
            )
            continue
        title, year = found.films.get(row["imdbid"], (None, None))
        total = _whole(row["clip_tot"], CLIPS, number, found)
        kinds, countries = genres.get(row["imdbid"], ((), ()))
        found.videos[video_id] = Video(
            video_id,
            row["imdbid"] or None,
            row["title"] or title,
            row["clip_name"] or None,
            # The two files agree where both know a year.
            _whole(row["year"], CLIPS, number, found) or year,
            _whole(row["clip_idx"], CLIPS, number, found),
            total if total is None or total > 0 else None,
            places[row["imdbid"], row["clip_idx"]] > 1,
            _whole(row["upload_year"], CLIPS, number, found),
            descriptions.get(video_id),
            durations.pop(video_id, None),
            kinds,
            countries,
            splits.get(row["imdbid"]),
        )
    found.other_durations = durations
    found.other_ids = tuple(name for name in dict.fromkeys(_dumped(folder)) if name not in found.videos)
    return found


def _rows(folder: Path, name: str, faults: list[Fault]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line at which the row begins, its cells without surrounding space) of a file; nothing where it is absent."""
    there = Names(path.name for path in folder.iterdir()).find(name)
    if there is None:
        return
    path = folder / there[1]
    if not path.is_file():
        # Reading a pipe would wait for ever.
        faults.append(Fault(name, 0, "This is no regular file"))
        return
    try:
        table = read_bytes(path.read_bytes(), Columns.of(*COLUMNS[name], key=COLUMNS[name][0], key_form=_KEY))
    except OSError as error:
        faults.append(Fault(name, 0, f"The file cannot be read: {error}"))
        return
    # Columns beyond those that are asked for are no fault: the published files have more of them.
    said = table.unreadable or table.lacking(COLUMNS[name])
    if said:
        faults.append(Fault(name, 1 if table.header else 0, f"The file cannot be read: {said}"))
        return
    yield from _whole_rows(table, name, faults)


def _whole_rows(table: FilledTable, name: str, faults: list[Fault]) -> Iterator[tuple[int, dict[str, str]]]:
    for row in table.rows:
        is_whole = not row.is_shifted and len(row.cells) == len(COLUMNS[name])
        if row.fault or not is_whole:
            faults.append(Fault(name, row.line, row.fault or "The row has fewer cells than the header"))
        # Ids that begin with `-` are text like all others: nothing here is a number or an option.
        if is_whole:
            yield row.line, dict(row.cells)


def _whole(text: str, file: str, row: int, found: Metadata) -> int | None:
    """`2012.0` is 2012; nothing is null; anything else is a fault."""
    if not text or text.lower() == "nan":
        return None
    try:
        return cells.whole(text)
    except cells.CellError as error:
        found.faults.append(Fault(file, row, f"'{quoted(text)}' is not {error}"))
        return None


def _texts(folder: Path, name: str, key: str, value: str, faults: list[Fault]) -> dict[str, str]:
    """The first text of each key."""
    texts: dict[str, str] = {}
    for _, row in _rows(folder, name, faults):
        if row[value]:
            texts.setdefault(row[key], row[value])
    return texts


def _durations(folder: Path, faults: list[Fault]) -> dict[str, float]:
    durations: dict[str, float] = {}
    for number, row in _rows(folder, "durations.csv", faults):
        try:
            seconds = cells.number(row["duration"])
        except cells.CellError:
            seconds = -1.0
        if seconds > 0:
            durations.setdefault(row["videoid"], seconds)
        elif row["duration"]:
            faults.append(Fault("durations.csv", number, f"'{quoted(row['duration'])}' is no length in seconds"))
    return durations


def _lists(folder: Path, faults: list[Fault]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """(genres, countries) by film."""
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for number, row in _rows(folder, "movie_info.csv", faults):
        parts = []
        for column in ("genre", "country"):
            value = _literal(row[column], list, "movie_info.csv", number, faults)
            parts.append(tuple(str(item) for item in value or ()))
        found.setdefault(row["imdbid"], (parts[0], parts[1]))
    return found


def _casts(folder: Path, faults: list[Fault]) -> dict[str, dict[str, str]]:
    """Role by actor, by film; rows of the same film add to each other."""
    casts: dict[str, dict[str, str]] = {}
    for number, row in _rows(folder, "casts.csv", faults):
        roles: Mapping[object, object] = _literal(row["cast"], dict, "casts.csv", number, faults) or {}
        known = casts.setdefault(row["imdbid"], {})
        for actor, role in roles.items():
            known.setdefault(str(actor), str(role))
    return casts


def _literal(text: str, kind: type, file: str, row: int, faults: list[Fault]) -> Any:
    if not text:
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = None
    if not isinstance(value, kind):
        faults.append(Fault(file, row, f"'{quoted(text, 40)}' is no Python {kind.__name__}"))
        return None
    return value


def _dumped(folder: Path) -> Iterator[str]:
    """Ids in the lists for youtube-dl, one a line, without a header."""
    for path in sorted(folder.iterdir()):
        if _DUMP.fullmatch(path.name) and path.is_file():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                if _ID.fullmatch(line.strip()):
                    yield line.strip()


def video_id_of(stem: str, known: Container[str]) -> str | None:
    """The id at the end of a file's name without suffix: the name as a whole, `<title>-<id>` or `<title> [<id>]`.

    Ids hold `-` themselves: of several that the name could end with, the longest counts. The last brackets with the
    length of an id hold it, known or not, so that no part of a title is taken for one. `.f137` of yt-dlp and ` (1)` of
    a second copy are no part of the name.
    """
    stem = _COPY.sub("", stem)
    if stem in known:
        return stem
    bracketed = [one for one in _BRACKETED.findall(stem) if len(one) == ID_LENGTH or one in known]
    if bracketed:
        return bracketed[-1] if bracketed[-1] in known else None
    ends = (stem[dash.end() :] for dash in _DASH.finditer(stem))
    return next((end for end in ends if end in known), None)


def facts(video: Video) -> dict[str, str]:
    """What the metadata says of the file of a video, in the words of a library manifest."""
    terms = TERMS[ORIGIN]
    said = {
        "external_id": video.video_id,
        "title": video.title,
        "film_id": video.film_id,
        "film_position": video.film_position,
        "trim_s": video.trim_s,
        "origin": ORIGIN,
        "origin_url": f"https://www.youtube.com/watch?v={video.video_id}",
        "attribution": terms.attribution,
        "license": RESEARCH_ONLY,
        "terms_url": terms.terms_url,
    }
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in said.items() if value}
