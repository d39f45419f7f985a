"""The clips of a release, cut anew from the sources that a person has got by himself, and how they prove themselves.

Belongs here: which file is the source of which clips, what is cut, and what became of each clip. Does not belong here:
where a film lies in another file (`core.release.matching`), how clips are cut (`core.video`).

A source is known by its SHA-256. What is not there by it is looked for by the pictures of its clips in all other files.
A rebuilding that was killed goes on: what is cut is noted with the bytes and the place that it was cut from. Its state
lies in a hidden folder beside the clips, so that somebody with several disks can go from one to the next.
"""

import csv
import io
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median_low
from typing import Any, Final, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.core.identity import clip_id, file_sha256, source_id
from emovid_assets.core.placing import put_into_place, put_text
from emovid_assets.core.release.layout import DECISIONS_CSV, LICENCES_CSV, LICENSE, METADATA, README
from emovid_assets.core.release.matching import Pictures, Place, Showing, showing
from emovid_assets.core.video.clip_container import CLIP_CONTAINERS
from emovid_assets.core.video.clip_file import Way
from emovid_assets.core.video.fingerprints import FilmPictures
from emovid_assets.home.file_lock import locked
from emovid_assets.resources.compute import Item, Outcome, Progress, Step
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.made_files import are_whole
from emovid_assets.resources.media import PLACE
from emovid_assets.resources.release import rebuild_steps
from emovid_assets.resources.release.reading import Release, metadata_files, rows
from emovid_assets.resources.release.source_files import Bench, SourceFile, files_below, films, hashed, probed
from emovid_assets.resources.release.tabular import write_parquet
from emovid_assets.resources.workplace import ALL_DOMAINS
from emovid_assets.tables.columns import each_row

Result = Literal["same_bytes", "same_pictures", "differs", "missing"]
RESULTS: Final[tuple[Result, ...]] = get_args(Result)
REPORT = "rebuild.csv"
COLUMNS = ("clip_id", "split", "domain", "result", "source_file", "offset_s", "distance_bits", "note")
STATE_FOLDER = ".rebuild"
_MARK, _STATE, _LOCK = "of.txt", "state.sqlite", "lock"
COPIED = (README, LICENSE, LICENCES_CSV, DECISIONS_CSV)
STEP = "clip"
HASHING, MATCHING = "hash", "match"
STEPS: Final[Mapping[str, str]] = {
    HASHING: "hash files",
    "probe": "read files",
    "film": "look at pictures",
    MATCHING: "compare films",
    STEP: "cut clips",
}
"""What `tell` is told of, in words."""

_OF_RELEASE = (
    *(
        "clip_id",
        "domain",
        "split",
        "source_id",
        "source_sha256",
        "source_size_bytes",
        "file_name",
        "media_sha256",
        *PLACE,
    ),
    *("picture_sha256", "hash_times_s", "picture_hashes", "width_px", "height_px"),
)
NO_SOURCE = "no file is its source, and none shows it"

Row = Mapping[str, Any]


class CannotRebuildError(ValueError):
    """Nothing can be rebuilt; the message says why and what to do."""


class BusyError(CannotRebuildError):
    """Another process rebuilds into the folder."""


@dataclass(frozen=True)
class Rebuilt:
    """What became of a clip. `file_name`: below the folder of its split; null where there is no file. `source_file`:
    below the folder of the sources. `offset_s`: how much later that file shows the clip than its source does, where it
    is another file (by the clock of the source, should it be faster). `distance_bits`: of 64, by which pictures differ
    on average."""

    clip_id: str
    split: str
    domain: str
    result: Result
    file_name: str | None = None
    source_file: str | None = None
    offset_s: float | None = None
    distance_bits: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Recognised:
    """A file that shows clips of a source which is not there. `offset_s` is that of most clips; the distance is a
    mean."""

    name: str
    clip_count: int
    offset_s: float
    distance_bits: float


@dataclass
class Report:
    """What a rebuilding did. `cut_count`: clips that were cut now; all others were there. `unread`: files that could
    not be read, with the reason."""

    folder: Path
    clips: list[Rebuilt]
    cut_count: int = 0
    file_count: int = 0
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def is_same(self) -> bool:
        return all(clip.result in ("same_bytes", "same_pictures") for clip in self.clips)

    def counts(self) -> Counter[tuple[str, str]]:
        """Clips by (domain, result)."""
        return Counter((clip.domain, clip.result) for clip in self.clips)

    def reasons(self) -> Counter[str]:
        """Why clips are missing."""
        return Counter(clip.note for clip in self.clips if clip.result == "missing")

    def recognised(self) -> list[Recognised]:
        """Files that were found by their pictures, the one with the most clips first."""
        by_file: dict[str, list[Rebuilt]] = defaultdict(list)
        for clip in self.clips:
            if clip.source_file is not None and clip.offset_s is not None:
                by_file[clip.source_file].append(clip)
        found = [
            Recognised(
                name,
                len(clips),
                median_low(clip.offset_s for clip in clips if clip.offset_s is not None),
                sum(clip.distance_bits or 0.0 for clip in clips) / len(clips),
            )
            for name, clips in by_file.items()
        ]
        return sorted(found, key=lambda one: (-one.clip_count, one.name))


def prove(released: pa.Table, media: pa.Table, fingerprints: pa.Table) -> dict[str, Result]:
    """What the clips of a home prove of those of a release, by clip id, without cutting anything.

    `media` and `fingerprints` are rows of `clip_media` and `clip_fingerprints`.
    """
    files = dict(zip(media["clip_id"].to_pylist(), media["sha256"].to_pylist(), strict=True))
    pictures = dict(zip(fingerprints["clip_id"].to_pylist(), fingerprints["picture_sha256"].to_pylist(), strict=True))

    def result(row: Row) -> Result:
        name = row["clip_id"]
        if name not in files:
            return "missing"
        if files[name] == row["media_sha256"]:
            return "same_bytes"
        is_same = row["picture_sha256"] is not None and pictures.get(name) == row["picture_sha256"]
        return "same_pictures" if is_same else "differs"

    return {row["clip_id"]: result(row) for row in each_row(released, ("clip_id", "media_sha256", "picture_sha256"))}


def rebuild(
    release: Release,
    sources: Path,
    folder: Path,
    *,
    workers: int = 0,
    tell: Progress = lambda step, done, of: None,
) -> Report:
    """Cuts the clips of a release from the files below `sources` into `folder`. `workers` 0: one per core.

    Raises CannotRebuildError, NotAReleaseError, StateError; WorkersCannotStartError and OSError as they come.
    """
    wanted = _wanted(release)
    if not sources.is_dir():
        raise CannotRebuildError(f"{sources} is no folder: name the one that holds the sources with --sources")
    files = files_below(sources, (folder, release.folder))
    if not files:
        raise CannotRebuildError(f"{sources} holds no media: name the folder that holds the sources with --sources")
    folder = folder.absolute()
    if folder.resolve().is_relative_to(release.folder.resolve()):
        raise CannotRebuildError(f"{folder} is in the release itself, which never changes: give another folder with -o")
    state = _prepared(folder, release)

    def busy() -> None:
        raise BusyError(f"another process rebuilds into {folder}: wait for it, or give another folder with -o")

    with locked(state / _LOCK, busy), closing(ItemStore(state / _STATE)) as store:
        bench = Bench(store, folder, workers, tell)
        report = _Rebuilding(bench, release, wanted, files).run()
        _write(release, report)
        return report


def _wanted(release: Release) -> list[Row]:
    """The rows of the release. Raises CannotRebuildError where they cannot be used as names and places."""
    table = rows(release)
    lacking = sorted({*_OF_RELEASE} - {*table.column_names})
    if lacking:
        names = ", ".join(lacking)
        raise CannotRebuildError(f"{release.folder} does not say {names} of its clips: take a later release")
    way = release.media.get("clip_files") or "exact"
    if way not in get_args(Way):
        raise CannotRebuildError(f"{release.folder} was cut in a way that is not known here ({way}): update emovid")
    splits = {path.parent.name for path in metadata_files(release)}
    found: list[Row] = list(each_row(table, _OF_RELEASE))
    for row in found:
        if row["split"] not in splits or not _is_named_rightly(row):
            raise CannotRebuildError(f"{release.folder} holds a clip that cannot be one: {row['clip_id']!a}")
        try:
            Pictures.of(row["hash_times_s"] or (), row["picture_hashes"] or ())
        except ValueError as error:
            raise CannotRebuildError(f"{release.folder}, {row['clip_id']}: {error}; fetch the release again") from error
    return found


def _is_named_rightly(row: Row) -> bool:
    """Whether a clip is called after its source and interval. Names become paths, and a stranger may have made them."""
    try:
        source = source_id(row["domain"], row["source_sha256"])
        return source == row["source_id"] and clip_id(source, row["start_s"], row["end_s"]) == row["clip_id"]
    except ValueError:
        return False


def _prepared(folder: Path, release: Release) -> Path:
    """The hidden folder of the state. Raises CannotRebuildError for a folder that is somebody else's."""
    state = folder / STATE_FOLDER
    mark = f"{release.digest}\n"
    if folder.exists() and not folder.is_dir():
        raise CannotRebuildError(f"{folder} is a file: give a new folder with -o")
    if (state / _MARK).is_file():
        if (state / _MARK).read_text(encoding="utf-8") != mark:
            raise CannotRebuildError(f"{folder} holds clips of another release: give a new folder with -o")
    elif folder.exists() and any(folder.iterdir()):
        raise CannotRebuildError(f"{folder} is not empty, and no rebuilding made it: give a new folder with -o")
    else:
        put_text(state / _MARK, mark)
    return state


class _Rebuilding:
    """One run: the sources, what is cut of them, the results."""

    def __init__(self, bench: Bench, release: Release, wanted: Sequence[Row], files: list[SourceFile]) -> None:
        self._bench, self._release, self._wanted, self._files = bench, release, wanted, files
        self._language = str(release.media.get("audio_language") or "")
        self._way: str = release.media.get("clip_files") or "exact"
        self._notes: dict[str, str] = {}
        self._former = self._former_results()

    def run(self) -> Report:
        clips_of: dict[str, list[Row]] = defaultdict(list)
        for row in self._wanted:
            clips_of[row["source_sha256"]].append(row)
        exact, others = self._by_bytes(clips_of)
        known = probed(self._bench, exact, self._language)
        items = [
            self._item(row, exact[sha256], sha256, known.payloads[sha256]["tracks"], row)
            for sha256 in exact
            if sha256 in known.payloads
            for row in clips_of[sha256]
        ]
        failed = {failure.item_id: failure.message for failure in known.failures}
        for sha256, message in failed.items():
            self._notes |= {row["clip_id"]: message for row in clips_of.get(sha256, ())}
        lost = {sha256: clips for sha256, clips in clips_of.items() if sha256 not in exact}
        unread = {exact[sha256].name: message for sha256, message in failed.items() if sha256 in exact}
        items += self._in_others(lost, others)
        made = self._bench.compute(Step(STEP, rebuild_steps.CLIP_VERSION, self._way, rebuild_steps.clip), items)
        self._require_disk(made)
        clips = [self._result(row, made) for row in self._wanted]
        return Report(self._bench.folder, clips, made.computed_count, len(self._files), unread)

    def _by_bytes(self, clips_of: Mapping[str, list[Row]]) -> tuple[dict[str, SourceFile], dict[str, SourceFile]]:
        """Files by SHA-256: those that are sources, and all others where a source with an open clip is none of them.
        Files of another size than any source are read in the latter case only."""
        exact: dict[str, SourceFile] = {}
        others: dict[str, SourceFile] = {}
        sizes = {row["source_size_bytes"] for row in self._wanted}
        alike = [file for file in self._files if file.size_bytes in sizes]
        for file, sha256 in hashed(self._bench, alike, HASHING):
            (exact if sha256 in clips_of else others).setdefault(sha256, file)
        open_ones = (row for sha256, rows in clips_of.items() if sha256 not in exact for row in rows)
        if not all(map(self._is_proved, open_ones)):
            unlike = [file for file in self._files if file.size_bytes not in sizes]
            for file, sha256 in hashed(self._bench, unlike, HASHING):
                others.setdefault(sha256, file)
        return exact, others

    def _is_proved(self, row: Row) -> bool:
        """Whether an earlier run has cut the clip, and its pictures are the released ones."""
        return bool(self._former.get(row["clip_id"], {}).get("is_same_pictures"))

    def _former_results(self) -> dict[str, dict[str, Any]]:
        """What earlier runs have cut and is still there, by clip."""
        whole = {
            name
            for name, (_, sizes) in self._bench.store.finished_keys(STEP, ALL_DOMAINS).items()
            if are_whole(self._bench.folder, sizes)
        }
        return {name: payload for name, (_, payload) in self._bench.store.finished(STEP, ALL_DOMAINS) if name in whole}

    def _in_others(self, lost: Mapping[str, list[Row]], others: Mapping[str, SourceFile]) -> Iterator[Item]:
        """The clips of lost sources, cut from files that show them."""
        open_ones = {sha256: rows for sha256, rows in lost.items() if not all(map(self._is_proved, rows))}
        clips = {sha256: pictures for sha256, rows in open_ones.items() if (pictures := _pictures(rows))}
        if not clips or not others:
            return
        facts = probed(self._bench, others, self._language).payloads
        found = films(self._bench, others, facts).payloads
        best: dict[str, tuple[Showing, str]] = {}
        for done, (candidate, payload) in enumerate(found.items(), start=1):
            self._bench.tell(MATCHING, done, len(found))
            film = rebuild_steps.pictures_of(rebuild_steps.film_of(payload))
            for sha256, of_source in clips.items():
                seen = showing(of_source, film)
                if seen and (sha256 not in best or _rank(seen) > _rank(best[sha256][0])):
                    best[sha256] = seen, candidate
        for sha256, (seen, candidate) in sorted(best.items()):
            film_pictures = rebuild_steps.film_of(found[candidate])
            for row in lost[sha256]:
                if self._is_proved(row):
                    continue
                place = seen.of_clips.get(row["clip_id"])
                segment = _segment(row, place, seen.speed, film_pictures) if place else None
                if segment is None:
                    self._notes[row["clip_id"]] = f"{others[candidate].name} shows its film, but not this clip"
                    continue
                offset_s = segment["start_s"] * seen.speed - row["start_s"]
                tracks = facts[candidate]["tracks"]
                yield self._item(row, others[candidate], candidate, tracks, segment, offset_s, seen.speed)

    def _item(
        self,
        row: Row,
        file: SourceFile,
        sha256: str,
        tracks: Row,
        segment: Row,
        offset_s: float | None = None,
        speed: float = 1.0,
    ) -> Item:
        place = {name: segment[name] for name in PLACE}
        if tracks["audio_index"] is None:
            place["has_audio"] = False
        wanted = ("media_sha256", "picture_sha256", "hash_times_s", "picture_hashes")
        return Item(
            row["clip_id"],
            content=f"{sha256}|{tracks['video_index']}+{tracks['audio_index']}|{place['start_pts']}|{place['end_pts']}"
            f"|{row['media_sha256']}|{row['picture_sha256']}",
            arguments={
                "path": file.path,
                "stamp": file.stamp,
                "home": str(self._bench.folder),
                "source_sha256": sha256,
                "tracks": tracks,
                "segment": place,
                "stem": f"{row['split']}/{row['domain']}/{row['clip_id']}",
                "clip_files": self._way,
                "wanted": {name: row[name] for name in wanted},
                "told": {"source_file": file.name, "offset_s": offset_s, "speed": speed},
            },
            path=file.name,
            input_sha256=sha256,
            group=sha256,
            weight=(place["end_frame"] - place["start_frame"]) * row["width_px"] * row["height_px"],
        )

    def _require_disk(self, made: Outcome) -> None:
        for failure in made.failures:
            if failure.code == "write_failed":
                raise CannotRebuildError(
                    f"{failure.message.split('. ')[0]}: check free space and permissions of {self._bench.folder}, "
                    "then run the same command again; what is cut is kept"
                )

    def _result(self, row: Row, made: Outcome) -> Rebuilt:
        none = Rebuilt(row["clip_id"], row["split"], row["domain"], "missing")
        name = row["clip_id"]
        payload = made.payloads[name] if name in made.payloads else self._former.get(name)
        if payload is None or not (payload["is_same_pictures"] or name in made.payloads):
            released = self._from_release(row)
            if released:
                return released
        if payload is None:
            failures = {failure.item_id: failure.message for failure in made.failures}
            return replace(none, note=failures.get(name) or self._notes.get(name, NO_SOURCE))
        (file,) = payload["files"]
        result: Result = "differs"
        if payload["is_same_pictures"]:
            result = "same_bytes" if payload["is_same_bytes"] else "same_pictures"
        return replace(
            none,
            result=result,
            file_name=file.partition("/")[2],
            source_file=payload["source_file"],
            offset_s=payload["offset_s"],
            distance_bits=payload["distance"],
            note=_note(payload) if result == "differs" else "",
        )

    def _from_release(self, row: Row) -> Rebuilt | None:
        """The file of a clip that the release itself holds, for which there is no source."""
        if row["file_name"] is None:
            return None
        suffix = Path(row["file_name"]).suffix
        source = self._release.folder / row["split"] / row["domain"] / f"{row['clip_id']}{suffix}"
        is_clip = suffix in {one.suffix for one in CLIP_CONTAINERS} and source.is_file()
        if not is_clip or file_sha256(source) != row["media_sha256"]:
            return None
        name = f"{row['domain']}/{row['clip_id']}{suffix}"
        target = self._bench.folder / row["split"] / name
        if not target.is_file() or file_sha256(target) != row["media_sha256"]:
            with put_into_place(target) as temporary:
                shutil.copyfile(source, temporary)
        return Rebuilt(
            row["clip_id"], row["split"], row["domain"], "same_bytes", name, note="the file of the release itself"
        )


def _rank(seen: Showing) -> tuple[float, float]:
    return round(seen.share, 2), -seen.distance


def _pictures(clips: Sequence[Row]) -> dict[str, Pictures]:
    """The hashes of clips by the time of their source, of those that have some."""
    return {
        row["clip_id"]: Pictures.of(row["hash_times_s"], row["picture_hashes"], row["start_s"])
        for row in clips
        if row["hash_times_s"] and row["picture_hashes"]
    }


def _segment(row: Row, place: Place, speed: float, film: FilmPictures) -> dict[str, Any] | None:
    """Where a clip is cut from a film that shows it; null where the film begins later, or ends earlier."""
    pictures = rebuild_steps.pictures_of(film).at(speed)
    # By the clock of the source, until pictures are named.
    start_s, end_s = row["start_s"] + place.offset_s, row["end_s"] + place.offset_s
    length_s = float((film.end_pts - film.pts[0]) * film.tick_s) * speed
    if start_s < -pictures.step_s or end_s > length_s + pictures.step_s:
        return None
    start, end = map(int, pictures.nearest(np.array([start_s, end_s])))
    if length_s - end_s < end_s - float(pictures.times_s[end]):
        end = len(film.pts)
    if end <= start:
        return None
    first, tick_s = int(film.pts[0]), film.tick_s
    start_pts, end_pts = int(film.pts[start]), int(film.pts[end]) if end < len(film.pts) else film.end_pts
    return {
        "start_s": (start_pts - first) * tick_s,
        "end_s": (end_pts - first) * tick_s,
        "start_frame": start,
        "end_frame": end,
        "start_pts": start_pts,
        "end_pts": end_pts,
        "video_start_s": first * tick_s,
        "has_audio": row["has_audio"],
        "sound_missing_s": None,
        "has_mended_stamps": bool(film.is_mended[start:end].any()),
    }


def _note(payload: Row) -> str:
    if payload["offset_s"] is not None:
        how = "" if payload["speed"] == 1.0 else f", which is {payload['speed']:.4f} times as fast"
        return f"found by its pictures in another file{how}"
    return "of the same source, but this machine encodes its pictures to others"


def _write(release: Release, report: Report) -> None:
    """What lies beside the clips: the rows with the files that there are now, the texts of the release, the report."""
    names = {clip.clip_id: clip.file_name for clip in report.clips}
    for path in metadata_files(release):
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read()
        files = pa.array([names.get(name) for name in table["clip_id"].to_pylist()], pa.string())
        table = table.set_column(table.column_names.index("file_name"), "file_name", files)
        if "first_frame_path" in table.column_names:
            index = table.column_names.index("first_frame_path")
            table = table.set_column(index, "first_frame_path", pa.nulls(table.num_rows, pa.string()))
        with put_into_place(report.folder / path.parent.name / METADATA) as temporary:
            write_parquet(table, temporary)
    for name in COPIED:
        if (release.folder / name).is_file():
            with put_into_place(report.folder / name) as temporary:
                shutil.copyfile(release.folder / name, temporary)
    put_text(report.folder / REPORT, _as_csv(report.clips))


def _as_csv(clips: Sequence[Rebuilt]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for clip in clips:
        rounded = {name: _rounded(getattr(clip, name)) for name in COLUMNS}
        writer.writerow(rounded)
    return text.getvalue()


def _rounded(value: Any) -> Any:
    return f"{value:.3f}" if isinstance(value, float) else value
