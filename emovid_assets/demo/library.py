"""The demo library: films, cartoon shorts and stickers on disk, with manifests and known emotions.

Belongs here: which files there are, their names, manifests, and the deliberately damaged ones. Does not
belong here: what is drawn in them.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.placing import put_bytes, put_text
from emovid_assets.demo.chance import generator_for
from emovid_assets.demo.films import ScenePlan, plan_scenes, write_film
from emovid_assets.demo.moods import neighbours
from emovid_assets.demo.shorts import write_short
from emovid_assets.demo.stickers import write_sticker
from emovid_assets.demo.truth import Truth
from emovid_assets.home.folders import Home
from emovid_assets.resources.library_files import listing

Size = Literal["full", "small"]
Progress = Callable[[str, int, int], None]

LICENSE = "CC0-1.0"
MANIFEST_COLUMNS = (
    "path",
    "external_id",
    "title",
    "film_id",
    "film_position",
    "intended_emotion",
    "region",
    "license",
)
TRUNCATED_FILM = "movie/interrupted-download.mp4"
TEXT_NAMED_VIDEO = "animation/storyboard-notes.mp4"

_TITLES = (
    "The Paper Lighthouse",
    "Long Way to Marrow Hill",
    "Seven Umbrellas",
    "Night Bus Forty",
    "The Clockmaker's Goat",
    "Under the Copper Moon",
    "A Jar of Thunder",
    "Tomorrow the Orchard",
    "Letters from the Tide",
    "The Last Carousel",
)
_NAMES = ("milo", "pip", "juno", "bruno", "tilda", "olek", "fern", "zuri", "kato", "wren", "iggy", "suki")


@dataclass(frozen=True)
class _Scale:
    reels: int
    scenes_per_reel: int
    shorts_per_emotion: int
    stickers_per_emotion: int
    mislabelled_stickers: int
    short_scene_every: int


_SCALES: dict[str, _Scale] = {
    "full": _Scale(11, 8, 7, 8, 5, 2),
    "small": _Scale(3, 4, 1, 2, 1, 3),
}


@dataclass(frozen=True)
class _Reel:
    """One film file; `position` is None where the film is a single file."""

    path: str
    title: str
    film_id: str
    position: int | None


def _reels(count: int) -> list[_Reel]:
    """`count` files; the second and third are two halves of one film."""
    reels: list[_Reel] = []
    for number, title in enumerate(_TITLES, start=1):
        slug = "".join(letter for letter in title.lower().replace(" ", "-") if letter.isalnum() or letter == "-")
        film_id = f"demo-film-{number:02d}"
        if number == 2:
            reels.extend(
                _Reel(f"movie/{slug}-part-{half}.mp4", f"{title}, part {half}", film_id, half) for half in (1, 2)
            )
        else:
            reels.append(_Reel(f"movie/{slug}.mp4", title, film_id, None))
    return reels[:count]


def make_library(home: Path, *, size: Size = "full", seed: int = 7, progress: Progress | None = None) -> Truth:
    """Write the demo library below `home/library` and return what is true of it.

    `progress(stage, done, total)` is called after every file; stages are movie, animation, sticker.
    Does nothing where the library of this size and seed is complete; the demo's own files of another size
    or seed are replaced. Raises FileExistsError, before anything is written, where a manifest or a medium is not the
    demo's: simulated people would label it; ValueError for an unknown size.
    """
    if size not in _SCALES:
        raise ValueError(f"Unknown size {size!r}; choose one of {', '.join(_SCALES)}.")
    library = home / "library"
    known = Truth.load(home) if Truth.path_in(home).exists() else None
    _require_no_others(Home(home), {*known.files, *known.others} if known else set())
    if known is not None:
        is_whole = all((library / name).exists() for name in [*known.files, *known.others])
        if (known.size, known.seed) == (size, seed) and is_whole:
            return known
        for name in [*known.files, *known.others]:
            (library / name).unlink(missing_ok=True)
        Truth.path_in(home).unlink()
    manifests = {domain: f"{domain}/manifest.csv" for domain in DOMAINS}
    for name in manifests.values():
        if (library / name).exists():
            raise FileExistsError(f"{library / name} is not the demo's; give the demo another home, or move it away.")
    truth = Truth(size=size, seed=seed)
    rows = {
        "movie": _write_films(library, truth, progress),
        "animation": _write_shorts(library, truth, progress),
        "sticker": _write_stickers(library, truth, progress),
    }
    _write_damaged(library, truth)
    truth.others.extend(manifests.values())
    # The record comes before the manifests: a run that is killed in between knows them for its own.
    truth.save(home)
    for domain, name in manifests.items():
        _write_manifest(library / name, rows[domain])
    return truth


def _require_no_others(home: Home, known: set[str]) -> None:
    """Before the first file is written a run may be killed, and after the last: so names decide, not a record alone."""
    own = known.union(*map(_names, _SCALES))
    for domain in DOMAINS:
        for name in listing(home, domain).media:
            if name.removeprefix("library/") not in own:
                raise FileExistsError(
                    f"{home.root} holds files of your own ({name}): give the demo a home of its own, such as "
                    f"EMOVID_HOME={home.root.with_name('demo')} emovid demo"
                )


def _names(size: str) -> set[str]:
    """Every media file of a demo library, below `library`."""
    scale = _SCALES[size]
    shorts = (_short(index)[0] for index in range(scale.shorts_per_emotion * len(EMOTION_NAMES)))
    stickers = (_sticker(index, emotion) for index, emotion in enumerate(_intended(scale)))
    return {*(reel.path for reel in _reels(scale.reels)), *shorts, *stickers, TRUNCATED_FILM, TEXT_NAMED_VIDEO}


def _short(index: int) -> tuple[str, str]:
    """Path and title. They say who and which take, never the emotion: whoever annotates must not read it off the
    file."""
    actor = _NAMES[index % len(_NAMES)]
    return f"animation/{actor}-take-{index + 1:02d}.mp4", f"{actor.title()}, take {index + 1}"


def _intended(scale: _Scale) -> list[str]:
    """The emotion that each sticker is filed under."""
    return [name for name in EMOTION_NAMES for _ in range(scale.stickers_per_emotion)]


def _sticker(index: int, emotion: str) -> str:
    return f"sticker/{emotion}/sticker-{index + 1:03d}.gif"


def _row(path: str, **known: str) -> dict[str, str]:
    return {**dict.fromkeys(MANIFEST_COLUMNS, ""), "path": path.split("/", 1)[1], "license": LICENSE, **known}


def _write_films(library: Path, truth: Truth, progress: Progress | None) -> list[dict[str, str]]:
    scale = _SCALES[truth.size]
    used: dict[str, int] = {}
    rows = []
    reels = _reels(scale.reels)
    for index, reel in enumerate(reels):
        plans = plan_scenes(
            generator_for(truth.seed, "plan", reel.path),
            scale.scenes_per_reel,
            EMOTION_NAMES[(3 * index + truth.seed) % len(EMOTION_NAMES)],
            used,
            has_short_scene=index % scale.short_scene_every == 0,
        )
        truth.files[reel.path] = write_film(library / reel.path, truth.seed, reel.path, plans)
        position = "" if reel.position is None else str(reel.position)
        rows.append(
            _row(
                reel.path,
                external_id=f"demo-{Path(reel.path).stem}",
                title=reel.title,
                film_id=reel.film_id,
                film_position=position,
            )
        )
        if progress:
            progress("movie", index + 1, len(reels))
    return rows


def _write_shorts(library: Path, truth: Truth, progress: Progress | None) -> list[dict[str, str]]:
    count = _SCALES[truth.size].shorts_per_emotion * len(EMOTION_NAMES)
    order = generator_for(truth.seed, "shorts").permutation(count)
    rows = []
    for index, place in enumerate(order.tolist()):
        emotion = EMOTION_NAMES[place % len(EMOTION_NAMES)]
        path, title = _short(index)
        truth.files[path] = write_short(library / path, truth.seed, path, emotion)
        rows.append(_row(path, external_id=f"demo-short-{index + 1:02d}", title=title))
        if progress:
            progress("animation", index + 1, count)
    return rows


def _write_stickers(library: Path, truth: Truth, progress: Progress | None) -> list[dict[str, str]]:
    """A few stickers show another emotion than the one they are filed under, as search results do."""
    scale = _SCALES[truth.size]
    intended = _intended(scale)
    rng = generator_for(truth.seed, "stickers")
    wrong = set(rng.permutation(len(intended))[: scale.mislabelled_stickers].tolist())
    rows = []
    for index, emotion in enumerate(intended):
        drawn = emotion
        if index in wrong:
            others = [name for name in EMOTION_NAMES if name not in (emotion, *neighbours(emotion))]
            drawn = others[int(rng.integers(len(others)))]
        path = _sticker(index, emotion)
        truth.files[path] = write_sticker(library / path, truth.seed, path, drawn)
        rows.append(_row(path, external_id=f"demo-sticker-{index + 1:03d}", intended_emotion=emotion))
        if progress:
            progress("sticker", index + 1, len(intended))
    return rows


def _write_damaged(library: Path, truth: Truth) -> None:
    """A film whose download broke off (index first, so that it opens) and a text file with a video's name."""
    plans = [ScenePlan("awe", 52), ScenePlan("sadness", 52)]
    damaged = library / TRUNCATED_FILM
    whole = damaged.with_name(f".{damaged.name}.whole")
    write_film(whole, truth.seed, TRUNCATED_FILM, plans)
    content = whole.read_bytes()
    put_bytes(damaged, content[: len(content) * 55 // 100])
    whole.unlink()
    put_text(library / TEXT_NAMED_VIDEO, "Storyboard: the goat looks at the clock. The clock looks back.\n")
    truth.others.extend((TRUNCATED_FILM, TEXT_NAMED_VIDEO))


def _write_manifest(path: Path, rows: list[dict[str, str]]) -> None:
    table = io.StringIO()
    writer = csv.DictWriter(table, MANIFEST_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    put_text(path, table.getvalue())
