"""What the input of a training costs: clips that were encoded once, against reading their MP4 anew for every step.

Run `python -m benchmarks.training`: writes clips of 81 frames of 480 × 832 pixels of a film of the corpus, reads them
as `generator_adapters` does, reads samples of the shapes that Wan 2.1 has, and writes its tables into
docs/training_lora.md. Encoding by the published models is in neither: it needs a GPU, and would make reading anew
slower still. How long a model of the real shape takes for a step is arithmetic, as that page says.

Belongs here: that comparison. Does not belong here: formulas.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.generation import FRAMES, HEIGHT, WIDTH, write_videos
from benchmarks.measuring import fill, one_thread, table
from emovid_assets.core.tuning.families import FAMILIES, Size
from emovid_assets.core.tuning.frames import read_frames
from emovid_assets.resources.tuning.samples import SampleFolder

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "training_lora.md"
CLIPS, ROUNDS = 6, 3
LATENTS = ((FRAMES - 1) // 4 + 1, HEIGHT // 8, WIDTH // 8)
PLACES = LATENTS[0] * (LATENTS[1] // 2) * (LATENTS[2] // 2)
"""Patches of 1 × 2 × 2 latents that the model looks at."""
TOKENS, TEXT_WIDTH, PICTURE_PLACES, PICTURE_WIDTH = 512, 4096, 257, 1280
MODELS = (
    # name, parameters, layers, width, a card, its dense bfloat16 operations a second
    ("Wan2.1-T2V-14B", 14.3e9, 40, 5120, "H100", 989e12),
    ("Wan2.1-I2V-14B", 16.4e9, 40, 5120, "H100", 989e12),
    ("Wan2.1-T2V-1.3B", 1.4e9, 30, 1536, "H100", 989e12),
    ("Wan2.1-T2V-1.3B", 1.4e9, 30, 1536, "RTX 4090", 165e12),
)
USED = 0.4
"""Share of a card's operations that large models get."""
PASSES = 3
"""Forward, forward again where activations are not kept, and backward through weights that do not learn."""


def sample(task: str) -> dict[str, Any]:
    import torch

    found = {
        "latents": torch.randn(1, 16, *LATENTS),
        "text": torch.randn(1, TOKENS, TEXT_WIDTH, dtype=torch.bfloat16),
    }
    if task == "i2v":
        found["condition"] = torch.randn(1, 20, *LATENTS)
        found["image"] = torch.randn(1, PICTURE_PLACES, PICTURE_WIDTH, dtype=torch.bfloat16)
    return found


def seconds_a_clip(read: Callable[[int], Any]) -> float:
    """Of the quickest of some rounds over all clips."""
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for number in range(CLIPS):
            read(number)
        spent.append((time.perf_counter() - began) / CLIPS)
    return min(spent)


def step_s(parameters: float, layers: int, width: int, rate: float) -> float:
    """Two operations a parameter and place, and four a pair of places, layer and value of attention."""
    forward = 2 * parameters * PLACES + 4 * PLACES**2 * width * layers
    return PASSES * forward / (USED * rate)


def measured(folder: Path) -> tuple[float, dict[str, tuple[float, float]]]:
    """(seconds to read a clip, (seconds to read a sample, its megabytes) by task)."""
    import torch

    torch.set_num_threads(1)
    one_thread()
    paths = write_videos(folder, CLIPS)
    family, size = FAMILIES["wan"], Size(WIDTH, HEIGHT)
    anew = seconds_a_clip(lambda n: read_frames(paths[n], family, size, frames=FRAMES, is_again=False))
    kept = {}
    for task in ("t2v", "i2v"):
        samples = SampleFolder(folder / task, 1e12, ())
        for number in range(CLIPS):
            samples.keep(str(number), sample(task))
        megabytes = sum(path.stat().st_size for path in (folder / task).iterdir()) / CLIPS / 1e6
        # To the last byte: what is mapped into memory and not looked at has not been read.
        read = seconds_a_clip(lambda n, samples=samples: [v.clone() for v in (samples.read(str(n)) or {}).values()])
        kept[task] = (read, megabytes)
    return anew, kept


def shown(anew: float, kept: dict[str, tuple[float, float]]) -> str:
    inputs = table(
        ["input of a step", "seconds a clip", "clips a second", "times as fast", "MB a clip"],
        [
            ["MP4 read anew, without encoding it", f"{anew:.3f}", f"{1 / anew:.1f}", "1", "—"],
            *(
                [f"kept, {task}", f"{read:.4f}", f"{1 / read:.0f}", f"{anew / read:.0f}", f"{megabytes:.1f}"]
                for task, (read, megabytes) in kept.items()
            ),
        ],
    )
    waits: list[Sequence[object]] = []
    for name, parameters, layers, width, card, rate in MODELS:
        step, (read, _) = step_s(parameters, layers, width, rate), kept["i2v" if "I2V" in name else "t2v"]
        shares = [f"{wait / (wait + step):.2%}" for wait in (read, anew)]
        waits.append([f"{name}, {card}", f"{step:.1f}", *shares])
    head = ["model and card", "seconds a step (arithmetic)", "of it waiting, kept", "waiting, read anew"]
    return f"{inputs}\n\n{table(head, waits)}"


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = shown(*measured(Path(folder)))
    print(text)
    fill(DOCUMENT, "input", text)


if __name__ == "__main__":
    main()
