"""Which metric sees which fault: "generators" whose videos are real clips with one fault each.

Run `python -m benchmarks.planted_generators`; it writes its table into docs/generation_metrics.md. The films are those
of the public corpus. Each is cut into pieces; the first two seconds of a piece are a real clip, what follows in it is
what a perfect generator might have made of its prompt. An emotion is planted as a tint, of which the embedded labeller
learns eight on other pieces of the same films.

Belongs here: the faults, and what the product's own measurements and tests say of them. Does not belong here: formulas.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import CORPUS, fill, table
from emovid_assets.core.embedded_labeller import forest_of
from emovid_assets.core.emotions import EMOTION_BY_NAME, EMOTION_NAMES
from emovid_assets.core.generation.comparisons import comparison_rows
from emovid_assets.core.generation.flicker import Common
from emovid_assets.core.generation.measuring import evidence_of_video, measured_video, picture_features
from emovid_assets.core.generation.metrics import metric_rows
from emovid_assets.core.generation.videos import LOWER_IS_BETTER, feature_set, scored_videos
from emovid_assets.core.labelling import ClipEvidence, LabelledClip
from emovid_assets.core.video.encoding import write_film
from emovid_assets.core.video.sampled import small_frames
from emovid_assets.core.video.scan import ScanSettings
from emovid_assets.core.video.scenes import DetectorSettings

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "generation_metrics.md"
FILMS = (
    "animation/big_buck_bunny_054-270s_448x252.mp4",
    "movie/tears_of_steel_battle_clip_800x332.webm",
    "movie/sintel_trailer_480x204.mp4",
    "animation/big_buck_bunny_trailer_640x360.webm",
    "movie/sintel_film_excerpt_848x480_25fps.mp4",
)
FPS, SIDE_PX = 16, 128
LENGTH, SPEED = 33, 3
PIECE = LENGTH * SPEED
PROMPTS, TAUGHT = 40, 8
COMMON = Common(8.0, 2.0, 64)
SETTINGS = ScanSettings(DetectorSettings(), 4, 0.0, 1e9, True)
METRICS = ("ea8", "first_frame_consistency", "flicker_common", "frechet_distance", "kernel_distance")
REFERENCE = "as it is"
Frames = np.ndarray


@dataclass(frozen=True)
class Fault:
    """`make` gives frames of a piece, untinted; `shift` is added to the place of the emotion that is asked for."""

    make: Callable[[Frames, np.random.Generator], Frames]
    shift: int = 0


def _take(piece: Frames, _: np.random.Generator) -> Frames:
    """What follows the real clip."""
    return piece[LENGTH : 2 * LENGTH]


def _noisy(piece: Frames, random: np.random.Generator) -> Frames:
    frames = _take(piece, random).astype(np.float32)
    return np.clip(frames + random.normal(0, 12, frames.shape), 0, 255).astype(np.uint8)


def _blurred(piece: Frames, random: np.random.Generator) -> Frames:
    import cv2

    return np.stack([cv2.GaussianBlur(frame, (0, 0), 3) for frame in _take(piece, random)])


def _fast(piece: Frames, _: np.random.Generator) -> Frames:
    return piece[::SPEED][:LENGTH]


def _shuffled(piece: Frames, random: np.random.Generator) -> Frames:
    frames = _take(piece, random)
    return frames[np.concatenate([[0], 1 + random.permutation(LENGTH - 1)])]


FAULTS = {
    REFERENCE: Fault(_take),
    "noise": Fault(_noisy),
    "blur": Fault(_blurred),
    "wrong emotion": Fault(_take, shift=3),
    "wrong speed": Fault(_fast),
    "shuffled frames": Fault(_shuffled),
}


def pieces(count: int) -> Iterator[Frames]:
    """uint8 (`PIECE`, height, width, 3) of the films, as many as asked for. Raises ValueError where there are fewer."""
    found = 0
    for name in FILMS:
        stamps = [number / FPS for number in range(60 * 60)]
        frames = [frame for _, frame in small_frames(CORPUS / name, stamps, SIDE_PX)]
        for start in range(0, len(frames) - PIECE, PIECE):
            if found == count:
                return
            found += 1
            yield np.stack(frames[start : start + PIECE])
    if found < count:
        raise ValueError(f"The films hold {found} pieces, {count} are wanted: ask for fewer prompts.")


def tinted(frames: Frames, emotion: str) -> Frames:
    """A third of each pixel's brightness in the colour that stands for the emotion."""
    import cv2

    hue = 180 * EMOTION_NAMES.index(emotion) // len(EMOTION_NAMES)
    colour = cv2.cvtColor(np.array([[[hue, 255, 255]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
    light = frames.max(axis=-1, keepdims=True).astype(np.float32) / 255
    return np.clip(0.65 * frames + 0.35 * light * colour, 0, 255).astype(np.uint8)


def planted(
    folder: Path, prompts: int = PROMPTS, taught: int = TAUGHT
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of `generation_metrics` and `generation_tests` of all faults. Files are written into `folder`."""
    everything = list(pieces(prompts + taught))
    # Lessons are spread over the films: a labeller that has never seen a film is another question.
    lessons = [everything[len(everything) * number // taught] for number in range(taught)]
    asked = [piece for piece in everything if not any(piece is lesson for lesson in lessons)]
    labeller = forest_of(
        [one for number, piece in enumerate(lessons) for one in _lesson(folder, number, piece)], minimum=8
    )
    videos, scores, features = [], [], []
    for number, piece in enumerate(asked):
        emotion = EMOTION_NAMES[number % len(EMOTION_NAMES)]
        real, _ = _measured(folder, tinted(piece[:LENGTH], emotion), f"clip-{number}")
        features.append(_feature(real, "real"))
        for name, fault in FAULTS.items():
            random = np.random.default_rng([number, list(FAULTS).index(name)])
            shown = EMOTION_NAMES[(EMOTION_NAMES.index(emotion) + fault.shift) % len(EMOTION_NAMES)]
            clip, found = _measured(folder, tinted(fault.make(piece, random), shown), f"{name}-{number}")
            features.append(_feature(clip, "generated"))
            videos.append({"video_id": clip.clip_id, "character": None, "prompt_sha256": "", "is_trial": False})
            scores.append(_score(clip.clip_id, name, number, emotion, labeller.score([clip])[0].emotion, found))
    judged, distances = scored_videos(scores, videos), feature_set(features)
    return metric_rows(judged, distances, seed="planted"), comparison_rows(judged, distances, seed="planted")


def _lesson(folder: Path, number: int, piece: Frames) -> Iterator[LabelledClip]:
    for emotion in EMOTION_NAMES:
        clip, _ = _measured(folder, tinted(piece[:LENGTH], emotion), f"lesson-{number}-{emotion}")
        yield LabelledClip(clip, emotion, f"lesson-{number}")


def _measured(folder: Path, frames: Frames, name: str) -> tuple[ClipEvidence, dict[str, Any]]:
    path = folder / "video.mp4"
    write_film(path, frames, FPS)
    found = measured_video(path, SETTINGS, COMMON)
    return evidence_of_video(name, "movie", found), found


def _feature(clip: ClipEvidence, kind: str) -> dict[str, Any]:
    return {
        "item_id": clip.clip_id,
        "domain": "movie",
        "kind": kind,
        "extractor_id": "embedded/measured",
        "extractor_revision": "planted",
        "features": picture_features(clip),
    }


def _score(
    video_id: str, generator: str, number: int, asked: str, recognised: str, found: dict[str, Any]
) -> dict[str, Any]:
    polarity = {name: EMOTION_BY_NAME[name].polarity for name in (asked, recognised)}
    return {
        **{name: found[name] for name in ("first_frame_consistency", "flicker_native", "flicker_common")},
        **dict.fromkeys(("caption_cosine", "label_cosine", "text_scorer_id", "text_scorer_revision")),
        "video_id": video_id,
        "generator": generator,
        "task": "t2v",
        "domain": "movie",
        "clip_id": f"clip-{number}",
        "asked_emotion": asked,
        "emotion": recognised,
        "is_emotion_right": asked == recognised,
        "is_polarity_right": polarity[asked] == polarity[recognised],
        "seed": 0,
        "is_trial": False,
        "labeller_id": "embedded/random-forest",
        "labeller_revision": "planted",
        "picture_scorer_id": "embedded/measured",
        "picture_scorer_revision": "planted",
    }


def verdicts(tests: Sequence[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """(fault, metric) → `sees it`, `prefers it` (calls the fault better than the clip as it is) or `blind`."""
    found = {}
    for row in tests:
        names = (row["generator_a"], row["generator_b"])
        if row["scope"] != "total" or row["asked_emotion"] != "all" or REFERENCE not in names:
            continue
        fault = next(name for name in names if name != REFERENCE)
        gain = row["difference"] if row["generator_b"] == fault else -row["difference"]
        is_worse = gain > 0 if row["metric"] in LOWER_IS_BETTER else gain < 0
        told = "sees it" if is_worse else "prefers it"
        found[fault, row["metric"]] = told if row["p_adjusted"] < 0.05 else "blind"
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        metrics, tests = planted(Path(folder))
    values = {
        (row["generator"], row["metric"]): row
        for row in metrics
        if (row["scope"], row["asked_emotion"]) == ("total", "all")
    }
    told = verdicts(tests)
    rows = []
    for fault in FAULTS:
        cells = [
            f"{values[fault, metric]['value']:.3f}" + (f", {told[fault, metric]}" if fault != REFERENCE else "")
            for metric in METRICS
        ]
        rows.append((fault, *cells))
    distance = values[REFERENCE, "frechet_distance"]
    said = (
        f"\n\nFréchet distance of halves, “{REFERENCE}”: {distance['half_value']:.2f}; its floor, of two halves of the "
        f"real clips: {distance['floor']:.2f}."
    )
    fill(DOCUMENT, "planted", table(("videos", *METRICS), rows) + said)


if __name__ == "__main__":
    main()
