"""What scoring generated videos costs, beside decoding them and nothing else.

Run `python -m benchmarks.generation` (`--videos 240` for the benchmark's number): writes 81 frames of 480 × 832 pixels
of a film of the corpus per video, measures and scores them with as many processes as bare decoding gets, and writes its
table into docs/generation_benchmarks.md.

Belongs here: work around the product's own steps. Does not belong here: formulas.
"""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import av

from benchmarks.measuring import CORPUS, cpu_seconds, fill, table
from benchmarks.media_ours import bare_decode
from emovid_assets.core.generation.text_model import load_text_model
from emovid_assets.core.model_place import find_model
from emovid_assets.core.stand_ins import declare_torchvision_operators
from emovid_assets.core.video.encoding import write_film
from emovid_assets.core.vlm.exchange import Meter
from emovid_assets.home.settings import Settings
from emovid_assets.resources.generation import measuring, scoring
from emovid_assets.resources.generation.measure_step import measure_video
from emovid_assets.resources.workers import open_workers

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "generation_benchmarks.md"
SOURCE = CORPUS / "movie" / "sintel_film_excerpt_848x480_25fps.mp4"
WIDTH, HEIGHT, FRAMES, FPS = 832, 480, 81, 16
ROUNDS = 3


def write_videos(folder: Path, count: int) -> list[Path]:
    """Different pieces of the film, as `generated_videos` are written."""
    with av.open(str(SOURCE)) as container:
        film = [frame.to_ndarray(format="rgb24")[:, 8 : 8 + WIDTH] for frame in container.decode(video=0)]
    paths = [folder / f"{number:03d}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        start = number * (len(film) - FRAMES) // max(1, count - 1)
        write_film(path, film[start : start + FRAMES], FPS)
    return paths


def decode(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"frames": bare_decode(Path(arguments["path"]))}


def decode_to_rgb(arguments: dict[str, Any]) -> dict[str, Any]:
    """As whoever scores frames reads them with PyAV: each as an array."""
    with av.open(arguments["path"]) as container:
        container.streams.video[0].thread_type = "NONE"
        return {"frames": sum(1 for frame in container.decode(video=0) if frame.to_ndarray(format="rgb24").ndim)}


def cpu_s(function: Callable[[dict[str, Any]], dict[str, Any]], arguments: Sequence[dict[str, Any]]) -> float:
    """CPU-seconds of a step in the product's own pool, one process a core, without what their start takes."""
    count = os.cpu_count() or 1

    def spent(tasks: list[tuple[str, dict[str, Any]]]) -> float:
        start = cpu_seconds()
        with open_workers(count, 0) as pool, closing(pool.run(function, tasks, 600)) as ends:
            _all_good(ends)
        return cpu_seconds() - start

    warm = [(f"warm-{number}", arguments[0]) for number in range(count)]
    return spent([*warm, *((str(number), given) for number, given in enumerate(arguments))]) - spent(warm)


def _all_good(ends: Iterator[list[Any]]) -> None:
    for told in ends:
        for end in told:
            assert end.payload is not None, end.message


def measured_against_decoding(paths: Sequence[Path]) -> Iterator[list[object]]:
    """A row a way to read: CPU-milliseconds a video, and in units of bare decoding."""
    settings = Settings()
    common = vars(measuring.common_of(settings.generation))
    scan = measuring.scan_settings(settings.scenes)
    given = [{"path": str(path), "is_ours": True, "scan": scan, "common": common} for path in paths]
    steps = {"bare decoding": decode, "decoding to RGB": decode_to_rgb, "measure_video": measure_video}
    # In turn, and the least of each: other work on the machine makes any of them slower, none faster.
    rounds = [{name: cpu_s(step, given) for name, step in steps.items()} for _ in range(ROUNDS)]
    least = {name: min(one[name] for one in rounds) for name in steps}
    for name, spent in least.items():
        yield [name, spent * 1e3 / len(paths), spent / least["bare decoding"]]


def clip_model(folder: Path) -> Path:
    """ViT-B/32's shape with random weights."""
    declare_torchvision_operators()
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    from emovid_assets_tests.generation.tiny_scorers import write_tokenizer

    CLIPModel(CLIPConfig()).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def waiting_for_frames(folder: Path, paths: Sequence[Path]) -> list[object]:
    """[videos, seconds a video, share of the model's time that it waits for frames, the same with the first video]."""
    place = find_model(str(clip_model(folder / "clip")), folder)
    models = scoring.Models(load_text_model(place, "cpu"), None, 2.0)
    asked = {"scorer": "text", "caption": "a dog runs", "label": "fear", "prompt": "a dog runs. fear"}
    reading = {"is_ours": True, "duration_s": FRAMES / FPS, "frame_count": FRAMES}
    tasks = [(f"{number}/text", {**asked, **reading, "path": str(path)}) for number, path in enumerate(paths)]
    meter = Meter()
    start, first_wait = time.perf_counter(), 0.0
    for number, ends in enumerate(scoring.score_videos(models, tasks, batch_frames=32, threads=2, meter=meter)):
        _all_good(iter([ends]))
        if number == 0:
            first_wait = meter.waiting_s
    spent = time.perf_counter() - start
    return [len(paths), spent / len(paths), (meter.waiting_s - first_wait) / spent, meter.waiting_s / spent]


def main() -> None:
    logging.disable(logging.INFO)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=24)
    parser.add_argument("--model-videos", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_videos(Path(folder), options.videos)
        text = table(["way", "CPU-ms a video", "of bare decoding"], measured_against_decoding(paths))
        row = waiting_for_frames(Path(folder), paths[: options.model_videos])
    text += "\n\n" + table(["videos", "s a video", "model waits", "with the first video"], [row])
    fill(DOCUMENT, "scoring", text)
    print(text)


if __name__ == "__main__":
    main()
