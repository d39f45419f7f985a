"""Drawn films of every kind, and the clips that are cut of them.

Belongs here: which films and clips there are, and what is in them. Does not belong here: who reads them.
"""

import inspect
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.numbered import BEEP_EVERY_S, barcode, beeps
from emovid_assets.core.video.clip_file import write_clip
from emovid_assets_tests.media.making import write_video
from emovid_assets_tests.media.scanning import first_tracks, segment_of, whole

BEHIND = 60
"""A film goes on for so many pictures behind the key frame at which its clips are cut."""
X264 = {"preset": "slow", "crf": "26", "sc_threshold": "0", "bf": "3", "b-pyramid": "normal", "refs": "5", "g": "40"}
OPEN = X264 | {"x264-params": "open-gop=1:keyint=20", "forced-idr": "1"}
X265 = {"preset": "veryfast", "x265-params": "keyint=40:min-keyint=40:scenecut=0:open-gop=0:log-level=none:pools=1"}
VPX = {"g": "40", "crf": "30", "b": "0", "cpu-used": "8", "deadline": "realtime"}
AV1 = {"g": "40", "preset": "8", "crf": "20", "svtav1-params": "lp=1"}
NTSC = Fraction(30_000, 1001)


@dataclass(frozen=True)
class Film:
    """A film to draw: `others` are arguments of `write_video`, `key` is the key frame at which its clips are cut."""

    codec: str
    options: dict[str, str]
    others: dict[str, Any] = field(default_factory=dict)
    file: str = "film.mp4"
    key: int = 80

    @property
    def count(self) -> int:
        return self.key + BEHIND


FILMS: dict[str, Film] = {
    "H.264": Film("libx264", X264),
    # A recovery point every 20 pictures, which is no start, and one key frame that is.
    "H.264, open GOP": Film("libx264", OPEN, {"forced": (80,)}),
    "H.264, long GOP": Film("libx264", X264 | {"g": "250"}, key=250),
    "H.264, 29.97": Film("libx264", X264, {"fps": NTSC}),
    "H.264, varying": Film(
        "libx264", X264, {"pts": [40 * n + n * n % 37 for n in range(140)], "time_base": Fraction(1, 1000)}
    ),
    "H.264, 10 bit": Film("libx264", X264, {"pix_fmt": "yuv420p10le"}),
    "HEVC": Film("libx265", X265),
    "VP9": Film("libvpx-vp9", VPX, file="film.webm"),
    "VP8": Film("libvpx", VPX | {"b": "1M", "crf": "10"}, file="film.webm"),
    "AV1": Film("libsvtav1", AV1),
}
CUTS: dict[str, tuple[int, int]] = {"on": (0, 50), "off": (-25, 25)}
"""First picture and the one behind the last, counted from the film's key frame: `on` begins with it."""
PLACES = (0, 1, 7, 20, 30, -1)


@dataclass(frozen=True)
class Clip:
    """A file and what is in it; stamps and the first beep that begins in it count from its first picture."""

    film: str
    cut: str
    way: str
    path: Path
    first: int
    stamps: tuple[float, ...]
    start_s: float
    made: str

    @property
    def numbers(self) -> list[int]:
        return list(range(self.first, self.first + len(self.stamps)))

    @property
    def places(self) -> list[int]:
        return [place % len(self.stamps) for place in PLACES]

    def ask(self) -> dict[str, Any]:
        ends = [*self.stamps[1:], 2 * self.stamps[-1] - self.stamps[-2]]
        times = [(self.stamps[place] + ends[place]) / 2 for place in self.places]
        return {
            "path": str(self.path),
            "stamps": self.stamps,
            "places": self.places,
            "times": times,
            "has_sound": True,
        }

    def beep_s(self, beep: int) -> float:
        """When a beep should begin."""
        return beep * BEEP_EVERY_S - self.start_s


def ways() -> list[str]:
    """How this tree can write clip files."""
    return ["copy", "encode"] if "way" not in inspect.signature(write_clip).parameters else ["exact", "copy", "encode"]


def draw(name: str, folder: Path) -> Path:
    film = FILMS[name]
    folder.mkdir(parents=True, exist_ok=True)
    sound = beeps(film.count / film.others.get("fps", 25))
    others = {"pix_fmt": "yuv420p", "sound_codec": "libopus" if film.file.endswith(".webm") else "aac"} | film.others
    pictures = [barcode(number) for number in range(film.count)]
    return write_video(folder / film.file, pictures, codec=film.codec, options=film.options, sound=sound, **others)


def clips_of(name: str, folder: Path, chosen: list[str]) -> list[Clip]:
    """Draws a film and writes its clips each way; the film itself comes first, as the way `film`."""
    path = draw(name, folder)
    frames = whole(path)
    tick = Fraction(frames[0].picture.time_base)
    seconds = [float((frame.pts - frames[0].pts) * tick) for frame in frames]
    clips = [Clip(name, "whole", "film", path, 0, tuple(seconds), 0.0, "drawn")]
    for way in chosen:
        for cut, (begin, behind) in CUTS.items():
            first, end = FILMS[name].key + begin, FILMS[name].key + behind
            target = folder / f"{way}-{cut}.mp4"
            made, target = _write(path, segment_of(frames, first, end), target, way)
            stamps = tuple(at - seconds[first] for at in seconds[first:end])
            clips.append(Clip(name, cut, way, target, first, stamps, seconds[first], made))
    return clips


def _write(path: Path, segment: dict[str, Any], target: Path, way: str) -> tuple[str, Path]:
    has_ways = "way" in inspect.signature(write_clip).parameters
    options: dict[str, Any] = {"way": way} if has_ways else {"is_copy_allowed": way == "copy"}
    clip = write_clip(path, first_tracks(path), segment, target, **options)
    how = getattr(clip, "how", None) or ("copied" if getattr(clip, "is_copied", False) else "encoded")
    hidden = f", {clip.hidden_frame_count} hidden" if clip.hidden_frame_count else ""
    reason = f" ({clip.encoding_reason})" if clip.encoding_reason not in (None, "asked") else ""
    # Trees from before WebM write to the name that they are given.
    return f"{how}{hidden}{reason}", target.with_suffix(getattr(clip, "suffix", target.suffix))
