"""The steps that worker processes run: probe, scan, clip file, fingerprint, first frame, video of a generator.

Belongs here: turning arguments (plain values) into calls of `core.video` and results into payloads (JSON).
Imports no Dagster: a worker starts in a fraction of a second.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.video.clip_container import other_clip_files
from emovid_assets.core.video.clip_file import ClipWriter
from emovid_assets.core.video.errors import MediaError
from emovid_assets.core.video.fingerprints import fingerprint as fingerprint_of
from emovid_assets.core.video.picture import is_one_colour, png
from emovid_assets.core.video.probe import Limits, probe_file
from emovid_assets.core.video.reading import Video
from emovid_assets.core.video.rgb import RgbConverter, upright
from emovid_assets.core.video.scan import ScanSettings, scan_source
from emovid_assets.core.video.scenes import DetectorSettings
from emovid_assets.core.video.streams import Tracks

PROBE_VERSION, SCAN_VERSION, CLIP_VERSION, FIRST_FRAME_VERSION = "3", "4", "5", "2"
READ_GENERATED_VERSION, FINGERPRINT_VERSION = "1", "1"
CHANGES_VERSION = "2"
"""Of the changes between frames, which outlive a new `SCAN_VERSION`."""
LEAST_FRAMES = 2
"""Of a video."""


@contextmanager
def _same_file(arguments: dict[str, Any]) -> Iterator[None]:
    """Raises MediaError `replaced` where the file, before or after, is not the one whose hash is part of the key."""
    path, stamp = Path(arguments["path"]), arguments["stamp"]

    def require() -> None:
        try:
            status = path.stat()
        except FileNotFoundError as error:
            raise MediaError("vanished", "The file is gone") from error
        if stamp is not None and (status.st_size, status.st_mtime_ns) != (stamp["size_bytes"], stamp["mtime_ns"]):
            raise MediaError("replaced", "")

    require()
    try:
        yield
    finally:
        # Whatever was found may have been found in the other file.
        require()


def probe(arguments: dict[str, Any]) -> dict[str, Any]:
    """Facts of a source: columns of `source_videos` and `tracks`."""
    with _same_file(arguments):
        facts = probe_file(
            Path(arguments["path"]), Limits(**arguments["limits"]), audio_language=arguments["audio_language"]
        )
    return {**vars(facts), "tracks": vars(facts.tracks), "has_audio": facts.has_audio}


def scan(arguments: dict[str, Any]) -> dict[str, Any]:
    """Segments and measurements of a source; thumbnails are named under `files`."""
    home = Path(arguments["home"])
    folder = home / arguments["thumbnail_folder"]
    settings = ScanSettings(
        **{**arguments["settings"], "detector": DetectorSettings(**arguments["settings"]["detector"])}
    )
    changes_path = home / arguments["changes_path"] if arguments["changes_path"] else None
    path, tracks, source_id = Path(arguments["path"]), Tracks.of(arguments["tracks"]), arguments["source_id"]
    try:
        with _same_file(arguments):
            result = scan_source(
                path,
                tracks,
                source_id,
                settings,
                folder,
                changes_path,
                expected_frame_count=arguments["frame_count"],
                trim_s=arguments["trim_s"],
            )
    except MediaError as error:
        if error.code == "replaced" and changes_path:
            # They stand under the id of the file that was expected.
            changes_path.unlink(missing_ok=True)
        raise
    kept = [segment for segment in result["segments"] if segment["is_kept"]]
    for segment in kept:
        segment["thumbnail_path"] = f"{arguments['thumbnail_folder']}/{segment['clip_id']}.jpg"
    return {**result, "files": [segment["thumbnail_path"] for segment in kept]}


def clip_file(arguments: dict[str, Any]) -> dict[str, Any]:
    """Columns of `clip_media` for one clip."""
    home = Path(arguments["home"])
    with _same_file(arguments), _writer_of(arguments) as writer:
        written = writer.write(arguments["segment"], home / arguments["stem"])
    media_path = f"{arguments['stem']}{written.suffix}"
    path = home / media_path
    for former in other_clip_files(path):
        # A clip has one file, and had another name where the program wrote its codec differently.
        former.unlink(missing_ok=True)
    return {
        **vars(written),
        "media_path": media_path,
        "sha256": file_sha256(path),
        "size_bytes": path.stat().st_size,
        "files": [media_path],
    }


_writers: dict[tuple[Any, ...], ClipWriter] = {}
"""The writer of the source whose clips this process is writing: opening a long film costs as much as writing a clip."""


@contextmanager
def _writer_of(arguments: dict[str, Any]) -> Iterator[ClipWriter]:
    tracks = Tracks.of(arguments["tracks"])
    key = (tracks, *(arguments[name] for name in ("path", "source_sha256", "clip_files")))
    writer = _writers.pop(key, None)
    while _writers:
        _writers.popitem()[1].close()
    if writer is None:
        writer = ClipWriter(Path(arguments["path"]), tracks, way=arguments["clip_files"])
    try:
        yield writer
    except BaseException:
        # Where its demuxer stands is not worth finding out.
        writer.close()
        raise
    _writers[key] = writer


def fingerprint(arguments: dict[str, Any]) -> dict[str, Any]:
    """Columns of `clip_fingerprints` for one clip file."""
    return vars(fingerprint_of(Path(arguments["path"])))


def first_frame(arguments: dict[str, Any]) -> dict[str, Any]:
    """PNG of the first frame of a clip file that shows something, for image-to-video benchmarks; none where all of them
    are of one colour."""
    converter, index = RgbConverter(), None
    with closing(Video(Path(arguments["path"])).frames()) as frames:
        for index, frame in enumerate(frames):
            rgb = converter.rgb(frame.picture)
            if not is_one_colour(rgb):
                png(upright(rgb, frame.rotation), Path(arguments["home"], arguments["png_path"]))
                path = arguments["png_path"]
                return {"first_frame_path": path, "first_frame_index": index, "files": [path]}
    if index is None:
        raise MediaError("corrupt_frames", "The clip file holds no frame")
    return {"first_frame_path": None, "first_frame_index": None, "files": []}


def read_generated(arguments: dict[str, Any]) -> dict[str, Any]:
    """Facts of a video that a generator made elsewhere; its frames are counted by decoding them."""
    path, converter = Path(arguments["path"]), RgbConverter()
    with _same_file(arguments):
        facts = probe_file(path, Limits(**arguments["limits"]))
        count, is_constant = 0, True
        for frame in Video(path, facts.tracks).frames():
            count += 1
            is_constant = is_constant and is_one_colour(converter.rgb(frame.picture))
    if count < LEAST_FRAMES:
        raise MediaError("frame_count", f"{count} frames can be decoded")
    if is_constant:
        raise MediaError("constant", f"None of {count} frames shows anything")
    return {
        "sha256": arguments["sha256"],
        "frame_count": count,
        **{name: getattr(facts, name) for name in ("fps", "width_px", "height_px", "duration_s")},
    }
