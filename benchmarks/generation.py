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
import numpy as np

from benchmarks.measuring import CORPUS, fill, table
from benchmarks.media_ours import bare_decode
from emovid_assets.core.generation.flicker import Common
from emovid_assets.core.generation.text_model import load_text_model
from emovid_assets.core.model_place import find_model
from emovid_assets.core.vlm.exchange import Meter
from emovid_assets.home.settings import Settings
from emovid_assets.resources.generation import measuring, scoring
from emovid_assets.resources.generation.measure_step import measure_video
from emovid_assets.resources.workers import open_workers

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "generation_benchmarks.md"
SOURCE = CORPUS / "movie" / "sintel_film_excerpt_848x480_25fps.mp4"
WIDTH, HEIGHT, FRAMES, FPS = 832, 480, 81, 16
CRFS = (12, 18, 23)
ROUNDS = 3


def write_videos(folder: Path, count: int, crf: int) -> list[Path]:
    """Different pieces of the film, encoded as H.264 with these constant rate factors."""
    with av.open(str(SOURCE)) as container:
        film = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    paths = []
    for number in range(count):
        start = number * (len(film) - FRAMES) // max(1, count - 1)
        path = folder / f"{crf}-{number:03d}.mp4"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("libx264", rate=FPS, options={"crf": str(crf)})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.codec_context.colorspace, stream.codec_context.color_range = 1, 1
            for pixels in film[start : start + FRAMES]:
                cut = np.ascontiguousarray(pixels[:HEIGHT, 8 : 8 + WIDTH])
                picture = av.VideoFrame.from_ndarray(cut, format="rgb24").reformat(format="yuv420p", dst_colorspace=1)
                output.mux(stream.encode(picture))
            output.mux(stream.encode())
        paths.append(path)
    return paths


def decode(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"frames": bare_decode(Path(arguments["path"]))}


def decode_to_rgb(arguments: dict[str, Any]) -> dict[str, Any]:
    """As whoever scores frames reads them with PyAV: each as an array."""
    with av.open(arguments["path"]) as container:
        container.streams.video[0].thread_type = "NONE"
        return {"frames": sum(1 for frame in container.decode(video=0) if frame.to_ndarray(format="rgb24").ndim)}


def seconds(function: Callable[[dict[str, Any]], dict[str, Any]], arguments: Sequence[dict[str, Any]]) -> float:
    """Wall time of a step in the product's own pool, which has been started and has done the step once before."""
    with open_workers(os.cpu_count() or 1, 0) as pool:
        tasks = [(str(number), given) for number, given in enumerate(arguments)]
        warm = [(f"warm-{number}", arguments[0]) for number in range(os.cpu_count() or 1)]
        with closing(pool.run(function, warm, 600)) as ends:
            _all_good(ends)
        start = time.perf_counter()
        with closing(pool.run(function, tasks, 600)) as ends:
            _all_good(ends)
        return time.perf_counter() - start


def _all_good(ends: Iterator[list[Any]]) -> None:
    for told in ends:
        for end in told:
            assert end.payload is not None, end.message


def measured_against_decoding(folder: Path, count: int) -> Iterator[list[object]]:
    settings = Settings()
    common = vars(Common(settings.generation.common_fps, settings.generation.common_s, 256))
    for crf in CRFS:
        paths = write_videos(folder, count, crf)
        given = [
            {"path": str(path), "is_ours": True, "scan": measuring.scan_settings(settings.scenes), "common": common}
            for path in paths
        ]
        # In turn, and the least of each: other work on the machine makes any of them slower, none faster.
        steps = (decode, decode_to_rgb, measure_video)
        took = {step: min(seconds(step, given) for _ in range(ROUNDS)) for step in steps}
        bare, rgb, ours = (took[step] for step in steps)
        size = sum(path.stat().st_size for path in paths) / count / 1e6
        yield [crf, size, bare * 1e3 / count, rgb / bare, ours / bare, ours / rgb]


def clip_model(folder: Path) -> Path:
    """ViT-B/32's shape with random weights."""
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    from emovid_assets_tests.generation.tiny_scorers import write_tokenizer

    CLIPModel(CLIPConfig()).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def waiting_for_frames(folder: Path, count: int) -> list[object]:
    """[videos, seconds a video, share of the model's time that it waits for frames, the same with the first video]."""
    place = find_model(str(clip_model(folder / "clip")), folder)
    models = scoring.Models(load_text_model(place, "cpu"), None, 2.0)
    asked = {"scorer": "text", "caption": "a dog runs", "label": "fear", "prompt": "a dog runs. fear"}
    reading = {"is_ours": True, "duration_s": FRAMES / FPS, "frame_count": FRAMES}
    paths = write_videos(folder, count, 18)
    tasks = [(f"{number}/text", {**asked, **reading, "path": str(path)}) for number, path in enumerate(paths)]
    meter = Meter()
    start, first_wait = time.perf_counter(), 0.0
    for number, ends in enumerate(scoring.score_videos(models, tasks, batch_frames=32, threads=2, meter=meter)):
        _all_good(iter([ends]))
        if number == 0:
            first_wait = meter.waiting_s
    spent = time.perf_counter() - start
    return [count, spent / count, (meter.waiting_s - first_wait) / spent, meter.waiting_s / spent]


def main() -> None:
    logging.disable(logging.INFO)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=24)
    parser.add_argument("--model-videos", type=int, default=8)
    options = parser.parse_args()
    head = ["crf", "MB a video", "bare, ms a video", "decoded to RGB / bare", "measured / bare", "measured / RGB"]
    with tempfile.TemporaryDirectory() as folder:
        text = table(head, measured_against_decoding(Path(folder), options.videos))
        row = waiting_for_frames(Path(folder), options.model_videos)
    text += "\n\n" + table(["videos", "s a video", "model waits", "with the first video"], [row])
    fill(DOCUMENT, "scoring", text)
    print(text)


if __name__ == "__main__":
    main()
