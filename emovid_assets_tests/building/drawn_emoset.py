"""A folder in EmoSet's layout whose emotions can be seen: `python -m emovid_assets_tests.building.drawn_emoset FOLDER`.

Belongs here: the good pictures, in 80, 5 and 15 of a hundred. Faults are added by the tests that are about them.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from emovid_assets_tests.vlm.learnable import colour_of

LABEL2IDX = {
    "amusement": 0,
    "awe": 1,
    "contentment": 2,
    "excitement": 3,
    "anger": 4,
    "disgust": 5,
    "fear": 6,
    "sadness": 7,
}
"""As info.json has it."""
PER_EMOTION = {"train": 16, "val": 1, "test": 3}


def draw_emoset(folder: Path, per_emotion: dict[str, int] | None = None) -> Path:
    """Pictures of each emotion's colour, with noise; ids count through the splits."""
    chance = np.random.default_rng(3)
    (folder / "image").mkdir(parents=True)
    write(
        folder / "info.json",
        {"emotion": {"label2idx": LABEL2IDX, "idx2label": {str(n): w for w, n in LABEL2IDX.items()}}},
    )
    entries: dict[str, list[Any]] = {"train": [], "val": [], "test": []}
    number = 0
    for split, count in (per_emotion or PER_EMOTION).items():
        for _ in range(count):
            # In the order of the alphabet, which is not EmoSet's.
            for emotion in sorted(LABEL2IDX):
                number += 1
                noise = chance.integers(-20, 20, (48, 64, 3))
                pixels = np.clip(colour_of(emotion) + noise, 0, 255).astype(np.uint8)
                entries[split].append(add_picture(folder, emotion, f"{emotion}_{number:05d}", Image.fromarray(pixels)))
    for split, listed in entries.items():
        write(folder / f"{split}.json", listed)
    return folder


def add_picture(folder: Path, emotion: str, name: str, image: Image.Image, **options: Any) -> list[str]:
    """Writes a picture with its annotation; gives its entry."""
    path, annotation = f"image/{emotion}/{name}.jpg", f"annotation/{emotion}/{name}.json"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    image.save(folder / path, **{"format": "JPEG", "quality": 92} | options)
    facts = {"image_id": name, "emotion": emotion, "brightness": 0.5, "colorfulness": 0.9, "scene": "sky"}
    write(folder / annotation, facts)
    return [emotion, name, path, annotation]


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def add_entries(folder: Path, split: str, *entries: Any) -> None:
    """More entries at the end of a list."""
    path = folder / f"{split}.json"
    write(path, [*json.loads(path.read_text(encoding="utf-8")), *entries])


if __name__ == "__main__":
    draw_emoset(Path(sys.argv[1]))
