"""The pipelines that people write today: PySceneDetect with ffmpeg, and data frameworks where they are installed.

Belongs here: the peers, written as their documentation shows them, with one OpenCV thread as ours.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.media_ours import MAX_S, MIN_S, STRIDE, Work

FFMPEG = shutil.which("ffmpeg")
SCENEDETECT = Path(sys.executable).with_name("scenedetect")
THUMBNAIL_PX = 320


def scenes(path: Path, detector: str, backend: str = "opencv") -> list[tuple[float, float, int]]:
    """(start in s, end in s, first frame) of PySceneDetect's own `detect()`; one scene where it finds no cut."""
    from scenedetect import AdaptiveDetector, ContentDetector, detect

    maker = {"content": ContentDetector, "adaptive": AdaptiveDetector}[detector]
    found = detect(str(path), maker(), start_in_scene=True, backend=backend)
    return [(start.seconds, end.seconds, start.frame_num) for start, end in found]


def api_with_copy(path: Path, detector: str, folder: Path, ffmpeg: str | None = FFMPEG) -> Work:
    """`detect()`, one `ffmpeg -c copy` per kept scene, a plain colour pass over the clips. The copies are not exact."""
    # VP8 does not fit into MP4: a copy keeps the container.
    return _api(path, detector, folder, ffmpeg, ("-c", "copy"), path.suffix)


def api_with_encoding(path: Path, detector: str, folder: Path, ffmpeg: str | None = FFMPEG) -> Work:
    """The same with exact clips, encoded by the options of PySceneDetect's `split_video_ffmpeg`."""
    options = (
        "-map",
        "0:v:0",
        "-map",
        "0:a?",
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "22", "-c:a", "aac"),
    )
    return _api(path, detector, folder, ffmpeg, options, ".mp4")


def _api(path: Path, detector: str, folder: Path, ffmpeg: str | None, options: Sequence[str], suffix: str) -> Work:
    found = scenes(path, detector)
    clips = []
    for number, (start, end, _) in enumerate(found):
        if MIN_S <= end - start <= MAX_S:
            clip = folder / f"clip-{number:04d}{suffix}"
            command = [ffmpeg, "-v", "error", "-nostdin", "-y", "-ss", start, "-i", path, "-t", end - start]
            subprocess.run([*map(str, command), *options, str(clip)], check=True)
            clips.append(clip)
    for clip in clips:
        plain_colour(clip)
    return Work([first for _, _, first in found[1:]], clips)


def command_line(path: Path, folder: Path) -> Work:
    """`scenedetect … detect-content split-video`, which encodes every scene, and a plain colour pass over the kept."""
    # The command line counts its shortest scene in seconds, the library in frames: 15 of them in both.
    command = [SCENEDETECT, "-q", "-m", "15", "-i", path, "-o", folder, "detect-content", "split-video", "-q"]
    subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)
    clips = sorted(folder.glob("*.mp4"))
    for clip in clips:
        if MIN_S <= _seconds(clip) <= MAX_S:
            plain_colour(clip)
    return Work([], clips)


def _seconds(clip: Path) -> float:
    capture = cv2.VideoCapture(str(clip))
    return float(capture.get(cv2.CAP_PROP_FRAME_COUNT) / max(capture.get(cv2.CAP_PROP_FPS), 1e-6))


def plain_colour(clip: Path) -> tuple[float, float, float]:
    """Mean hue, saturation, value of every 20th frame by OpenCV's 8-bit HSV, and a thumbnail of the first."""
    capture = cv2.VideoCapture(str(clip))
    sums, count, index = np.zeros(4), 0, 0
    while True:
        is_read, frame = capture.read()
        if not is_read:
            break
        if index % STRIDE == 0:
            hsv = cv2.cvtColor(frame, cv2.COLOR_BGR2HSV).astype(np.float32)
            angle = np.deg2rad(hsv[..., 0] * 2)
            sums += np.sin(angle).sum(), np.cos(angle).sum(), hsv[..., 1].sum() / 255, hsv[..., 2].sum() / 255
            count += angle.size
        if index == 0:
            scale = THUMBNAIL_PX / max(frame.shape[:2])
            small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame
            cv2.imwrite(str(clip.with_suffix(".jpg")), small)
        index += 1
    if not count:
        return 0.0, 0.0, 0.0
    hue = float(np.rad2deg(np.arctan2(sums[0], sums[1])) % 360)
    return hue, float(sums[2] / count), float(sums[3] / count)


FRAMEWORKS = ("datachain", "pixeltable")


def is_installed(framework: str, python: str) -> bool:
    return subprocess.run([python, "-c", f"import {framework}"], capture_output=True, check=False).returncode == 0


def run_framework(framework: str, python: str, path: Path, folder: Path) -> tuple[float, int]:
    """CPU-seconds (imports and start of services not counted) and clips of a framework's own pipeline."""
    # Imported, not run as a script: Pixeltable refuses functions that a script defines.
    code = f"import sys; from peer_{framework} import main; main(sys.argv[1], sys.argv[2])"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [python, "-c", code, str(path), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)
    if done.returncode:
        raise RuntimeError(f"{framework}: {done.stderr.strip()[-500:]}")
    result = json.loads(done.stdout.strip().splitlines()[-1])
    return result["cpu_s"], result["clip_count"]
