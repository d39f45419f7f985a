"""A home whose emotions can be seen: each has a colour, bright is amusement and dark is fear.

The tables before the labeller are planted, the clips are real video files.
"""

import colorsys
from pathlib import Path

import numpy as np

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.media.making import write_video
from emovid_assets_tests.planted_tables import plant, valid_row

HUES = [name for name in EMOTION_NAMES if name not in ("amusement", "fear")]
PER_EMOTION, BLIND_PER_EMOTION = 10, 2
PEOPLE = ("ada", "bo", "cy")
SETTINGS = """\
[annotation]
review_annotators = 0

[benchmark]
per_cell = 1

[media]
workers = 2

[labeller]
backend = "transformers"
model = "{model}"
prompt = "prompt.txt"
frames = 2
frame_side_px = 32
batch_clips = 16
device = "cpu"
fine_tune = {fine_tune}

[fine_tuning]
min_clips = {min_clips}
held_out_share = 0.25
rank = 8
dropout = 0.05
learning_rate = 5e-3
train_projector = true
batch_clips = 4
micro_batch_clips = 4
max_epochs = 9
patience = 3
"""


def clip_id(number: int) -> str:
    return f"movie-{number:016x}-00000000-00001000"


def colour_of(emotion: str) -> np.ndarray:
    """RGB (3,)."""
    if emotion in HUES:
        return 230 * np.array(colorsys.hsv_to_rgb(HUES.index(emotion) / len(HUES), 1, 1))
    return np.full(3, {"amusement": 235, "fear": 15}[emotion])


def make_home(home: Path, model: Path, *, fine_tune: bool = True, min_clips: int = 32) -> Path:
    """Ten clips an emotion, all with a human label; two of them are blind validation clips that three people saw."""
    chance = np.random.default_rng(7)
    media = home / "media"
    media.mkdir(parents=True)
    numbers = {number: EMOTION_NAMES[number % 8] for number in range(8 * PER_EMOTION)}
    for number, emotion in numbers.items():
        noise = chance.integers(-20, 20, (4, 48, 64, 3))
        frames = np.clip(colour_of(emotion) + noise, 0, 255).astype(np.uint8)
        write_video(media / f"{number}.mov", list(frames), fps=4)
    blind = [number for number in numbers if number < 8 * BLIND_PER_EMOTION]
    plant(
        home,
        "source_videos",
        [
            valid_row("source_videos", n, source_id=f"movie-{n:016x}", sha256=f"{n:016x}{0:048x}", film_id=None)
            for n in numbers
        ],
    )
    own = {n: {"clip_id": clip_id(n), "source_id": f"movie-{n:016x}"} for n in numbers}
    length = {"end_s": 1.0, "duration_s": 1.0, "frame_count": 4}
    plant(home, "clips", [valid_row("clips", n, **own[n], **length, thumbnail_path=f"{n}.jpg") for n in numbers])
    files = [
        valid_row("clip_media", n, clip_id=clip_id(n), media_path=f"media/{n}.mov", sha256=f"{n:064x}") for n in numbers
    ]
    plant(home, "clip_media", files)
    plant(home, "clip_features", [valid_row("clip_features", n, **own[n]) for n in numbers])
    colours = [
        valid_row("colour_attributes", n, clip_id=clip_id(n), brightness_mean=float(colour_of(numbers[n]).mean() / 255))
        for n in numbers
    ]
    plant(home, "colour_attributes", colours)
    plant(home, "captions", [valid_row("captions", n, clip_id=clip_id(n)) for n in numbers])
    tasks = [
        valid_row("annotation_tasks", n, clip_id=clip_id(n), purpose="validate", required_annotators=3) for n in blind
    ]
    plant(home, "annotation_tasks", tasks)
    labels = [
        valid_row(
            "human_labels",
            n,
            clip_id=clip_id(n),
            emotion=numbers[n],
            outcome="agreed",
            agree_count=3,
            annotator_count=3,
        )
        for n in numbers
    ]
    plant(home, "human_labels", labels)
    answers = [
        # One person takes the first blind clip of all for another emotion.
        {"annotator_id": name, "label": "awe" if (name, n) == ("cy", 0) else numbers[n], "clip_id": clip_id(n)}
        for n in blind
        for name in PEOPLE
    ]
    rows = [valid_row("human_annotations", 0, **answer, purpose="validate") for answer in answers]
    plant(home, "human_annotations", rows)
    text = SETTINGS.format(model=model, fine_tune=str(fine_tune).lower(), min_clips=min_clips)
    # Short, so that frames are most of what a tiny model reads.
    (home / "prompt.txt").write_text("Which emotion?", encoding="utf-8")
    (home / "emovid.toml").write_text(text, encoding="utf-8")
    return home
