"""Releases of a few drawn films, made without a home: for whoever rebuilds them."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from emovid_assets.core.identity import clip_id, file_sha256, source_id
from emovid_assets.core.video.clip_file import write_clip
from emovid_assets.core.video.fingerprints import fingerprint
from emovid_assets.core.video.probe import probe_file
from emovid_assets_tests.media.making import write_video
from emovid_assets_tests.media.scanning import scan
from emovid_assets_tests.release.planted_releases import clip, plant_release, table_of

H264: dict[str, Any] = {"codec": "libx264", "pix_fmt": "yuv420p"}
FPS = 25


def scenes(*seeds: int, seconds: float = 5.0, width: int = 96, height: int = 72) -> list[np.ndarray]:
    """A window that moves over a landscape of its own in each scene."""
    frames = []
    for seed in seeds:
        chance = np.random.default_rng(seed)
        # Each of a colour of its own, or nobody would see a cut.
        tint = np.array([(seed * 97 + 80 * channel) % 130 for channel in range(3)])
        coarse = tint + chance.integers(0, 126, (10, 14, 1))
        ground = cv2.resize(coarse.astype(np.uint8), (width * 3, height * 3), interpolation=cv2.INTER_LINEAR)
        across, down = 1, int(chance.integers(0, 2))
        for n in range(round(seconds * FPS)):
            x, y = across * n % (2 * width), down * n % (2 * height)
            frames.append(np.ascontiguousarray(ground[y : y + height, x : x + width]))
    return frames


def draw_film(path: Path, *seeds: int, **options: Any) -> Path:
    """A film of scenes of five seconds each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(path, scenes(*seeds), **{**H264, "options": {"g": "40", "sc_threshold": "0"}, **options})


def re_encoded(
    source: Path,
    target: Path,
    *,
    crf: int = 30,
    scale: float = 1.0,
    skip: int = 0,
    rate: int = FPS,
    shown_at: int | None = None,
) -> Path:
    """An upload of a film: without its first `skip` pictures, at another size or rate, encoded anew. `shown_at`: all
    its pictures at another rate, so that it is faster or slower."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as container:
        shown = [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)][skip:]
    count = len(shown) * rate // FPS
    shown = [shown[min(len(shown) - 1, round(n * FPS / rate))] for n in range(count)]
    if scale != 1.0:
        shown = [cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for one in shown]
    return write_video(
        target, shown, fps=Fraction(shown_at or rate), **H264, options={"crf": str(crf), "preset": "veryfast"}
    )


def rows_of_films(films: Sequence[Path], work: Path, domain: str = "movie") -> list[dict[str, Any]]:
    """What a release says of the clips of films; whole files where the domain is not `movie`."""
    rows = []
    for path in films:
        facts, digest = probe_file(path), file_sha256(path)
        source = source_id(domain, digest)
        scanned = scan(path, whole=domain != "movie", tracks=facts.tracks)
        for index, segment in enumerate(one for one in scanned["segments"] if one["is_kept"]):
            name = clip_id(source, segment["start_s"], segment["end_s"])
            place = {**segment, "video_start_s": scanned["video_start_s"]}
            written = write_clip(path, facts.tracks, place, work / f"{name}.mp4")
            file = (work / name).with_suffix(written.suffix)
            found = fingerprint(file)
            wanted = ("start_s", "end_s", "start_frame", "end_frame", "start_pts", "end_pts", "duration_s")
            rows.append(
                clip(
                    name,
                    **{key: segment[key] for key in (*wanted, "has_audio", "sound_missing_s", "has_mended_stamps")},
                    video_start_s=scanned["video_start_s"],
                    domain=domain,
                    source_id=source,
                    source_sha256=digest,
                    source_size_bytes=path.stat().st_size,
                    split="benchmark" if index % 2 else "train",
                    media_sha256=file_sha256(file),
                    how=written.how,
                    picture_sha256=found.picture_sha256,
                    hash_times_s=found.hash_times_s,
                    picture_hashes=found.picture_hashes,
                )
            )
    return rows


def release_of(rows: Sequence[dict[str, Any]], folder: Path, **said: Any) -> Path:
    """A release without media, with a text that says so."""
    plant_release(folder, table_of(rows), tier="metadata", **said)
    (folder / "README.md").write_text("---\nlicense: other\n---\n# Of the test\n", encoding="utf-8")
    return folder
