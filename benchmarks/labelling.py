"""Labels per second by scoring, beside the loop of `generate` and a search for a word that people write today.

Run `python -m benchmarks.labelling` from the repository: models of random weights in real shapes, on the GPU where
there is one. Every variant has the same model in memory, the same frames and the same batch size:

- *generate, frames in the loop*: as on model cards: decode, processor, `generate`, look for a label in the text;
- *generate, frames in memory*: the same without its decoding, which happens before the clock runs;
- *scores without the cache*: a pass per label, frames in memory: the same evidence as ours by brute force;
- *ours*: `label_clips`: reads ahead, one prefill, eight labels from its cache.

`generate` writes as many tokens as the longest label with its end has, as a model would that answers with one word;
model cards allow 128 and more. Ours gives eight log-probabilities, `generate` at best a word.

`--memory 60 500` also labels so many clips in a process each and prints the peak of resident memory.
`--markdown docs/labelling_benchmarks.md` puts the tables into the document.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.labelling_models import MODELS, matmul_rate, prefill_operations
from benchmarks.measuring import CORPUS, cpu_seconds, fill, table
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.vlm.chat_model import ChatModel
from emovid_assets.core.vlm.exchange import ClipRequest, LabelAnswer, Meter
from emovid_assets.core.vlm.frames import read, uniform
from emovid_assets.core.vlm.prompts import FOLDER, LABEL, read_prompt, word_options
from emovid_assets.resources.local_model import label_clips
from emovid_assets_tests.media.making import scenery, write_video
from emovid_assets_tests.resources.tiny_chat_models import tiny_llava_onevision

ROOT = Path(__file__).resolve().parents[1]
OURS, NAIVE = "ours", "scores without the cache"
IN_LOOP, IN_MEMORY = "generate, frames in the loop", "generate, frames in memory"
RUN = "emovid_assets_tests.resources.run_labelling"
Frames = list[tuple[float, np.ndarray]]


@dataclass
class Cost:
    """Wall and CPU time of a variant over all clips, in seconds."""

    wall_s: float
    cpu_s: float
    waiting_share: float = float("nan")
    model_s: float = float("nan")


def clip_files(corpus: Path, folder: Path) -> list[Path]:
    """Real clips of 1280 × 720 where the corpus is there, else a drawn film of 640 × 360."""
    found = sorted(corpus.rglob("penny_and_chip_*.mp4"))
    if not found:
        found = [folder / "drawn.mp4"]
        pictures = [scenery(2, index, 360, 640) for index in range(100)]
        write_video(found[0], pictures, codec="mpeg4", pix_fmt="yuv420p")
    return found


def requests(files: Sequence[Path], count: int, frames: int, side_px: int) -> list[ClipRequest]:
    """Clips of four seconds, in turn from the files."""
    prompt = read_prompt(FOLDER / LABEL).filled(options=word_options())
    stamps = uniform(4.0, 96, frames)
    return [ClipRequest(str(files[number % len(files)]), stamps, side_px, prompt) for number in range(count)]


def generate_loop(model: ChatModel, asked: Sequence[ClipRequest], batch: int, frames: Sequence[Frames] | None) -> None:
    """Batches of prompts through the processor and `generate`, then a search for a label in the text."""
    processor, longest = model.processor, max(map(len, model.format.answers))
    for start in range(0, len(asked), batch):
        some = asked[start : start + batch]
        shown = frames[start : start + batch] if frames else [_frames(request) for request in some]
        texts = [_chat(processor, request.prompt) for request in some]
        inputs = processor(
            text=texts,
            videos=[np.stack([pixels for _, pixels in one]) for one in shown],
            video_metadata=[_about([stamp for stamp, _ in one]) for one in shown],
            do_sample_frames=False,
            padding=True,
            padding_side="left",
            return_tensors="pt",
        ).to(model.device, model.model.dtype)
        with torch.inference_mode():
            out = model.model.generate(**inputs, max_new_tokens=longest, do_sample=False, pad_token_id=model.pad_id)
        answers = processor.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        [next((label for label in EMOTION_NAMES if label in answer.lower()), None) for answer in answers]


def naive_scores(model: ChatModel, asked: Sequence[ClipRequest], frames: Sequence[Frames]) -> list[list[float]]:
    return [
        model.score_naive(model.prepare([p for _, p in one], [s for s, _ in one], request.prompt))
        for request, one in zip(asked, frames, strict=False)
    ]


def ours(model: ChatModel, asked: Sequence[ClipRequest], batch: int, threads: int) -> tuple[list[LabelAnswer], Meter]:
    tasks = [(str(number), request.as_arguments()) for number, request in enumerate(asked)]
    meter = Meter()
    ends = [end for some in label_clips(model, tasks, batch_clips=batch, threads=threads, meter=meter) for end in some]
    if bad := [end for end in ends if end.payload is None]:
        raise SystemExit(bad[0].message)
    return [LabelAnswer.of(end.payload) for end in ends if end.payload is not None], meter


def measured(
    model: ChatModel, asked: Sequence[ClipRequest], options: argparse.Namespace
) -> tuple[dict[str, Cost], str]:
    """Costs by variant, and what was wrong with our numbers ("" where nothing was)."""
    frames = [_frames(request) for request in asked]
    few = min(options.batch, len(asked))
    # What is made once for a model is paid before the clock runs: kernels, the check of the fast way.
    found, _ = ours(model, asked[:few], options.batch, options.threads)
    generate_loop(model, asked[:few], options.batch, frames)
    naive: list[list[float]] = []
    # Eight passes a clip: few clips are enough to know the cost of many.
    judged = few if model.device.startswith("cuda") else 1
    slow = timed(lambda: naive.extend(naive_scores(model, asked[:judged], frames)), scale=len(asked) / judged)
    right = LabelAnswer(naive[0], []).probabilities()
    off = max(abs(right[name] - value) for name, value in found[0].probabilities().items())
    limit = 1e-4 if model.model.dtype == torch.float32 else 0.05
    costs = {
        IN_LOOP: timed(lambda: generate_loop(model, asked, options.batch, None)),
        IN_MEMORY: timed(lambda: generate_loop(model, asked, options.batch, frames)),
        NAIVE: slow,
    }
    meters: list[Meter] = []
    costs[OURS] = timed(lambda: meters.append(ours(model, asked, options.batch, options.threads)[1]))
    costs[OURS].waiting_share, costs[OURS].model_s = meters[0].waiting_share, meters[0].model_s
    return costs, "" if off < limit else f"probabilities are off by {off:.2g}"


def timed(work: Callable[[], Any], scale: float = 1.0) -> Cost:
    start, cpu = time.perf_counter(), cpu_seconds()
    work()
    return Cost((time.perf_counter() - start) * scale, (cpu_seconds() - cpu) * scale)


def cost_rows(name: str, model: ChatModel, costs: dict[str, Cost], count: int) -> list[list[object]]:
    """CPU time compares variants on a CPU also beside other work; on a GPU it is the wall that counts."""
    is_cuda = model.device.startswith("cuda")
    rows: list[list[object]] = []
    for variant, cost in costs.items():
        ratio = cost.wall_s / costs[OURS].wall_s if is_cuda else cost.cpu_s / costs[OURS].cpu_s
        waiting = f"{cost.waiting_share:.1%}" if variant == OURS else "—"
        rows.append([name, variant, count / cost.wall_s, cost.cpu_s / count, ratio, waiting])
    return rows


def arithmetic_row(name: str, model: ChatModel, asked: Sequence[ClipRequest], cost: Cost) -> list[object]:
    shown = _frames(asked[0])
    prepared = model.prepare([pixels for _, pixels in shown], [stamp for stamp, _ in shown], asked[0].prompt)
    each, most = prefill_operations(model, prepared), matmul_rate(model.device.split(":")[0], model.model.dtype)
    share = each * len(asked) / cost.model_s / most
    return [name, model.scorer.way, prepared.token_count, each / 1e12, most / 1e12, f"{share:.0%}"]


def memory_rows(counts: Sequence[int], film: Path) -> list[list[object]]:
    """Peak resident memory of a process that labels so many clips with a tiny model and keeps them as a run does."""
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        model = tiny_llava_onevision(Path(folder, "model"))
        for count in counts:
            home = Path(folder, str(count))
            home.mkdir()
            said = subprocess.run(
                [sys.executable, "-m", RUN, str(home), str(model), str(film), str(count), "0", str(home / "log")],
                capture_output=True,
                text=True,
                check=True,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            rows.append([count, json.loads(said.stdout.splitlines()[-1])["peaks_mb"][-1]])
    return rows


def machine(options: argparse.Namespace) -> str:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} CPU cores"
    threads = f"{torch.get_num_threads()} threads of torch, {options.threads} that read ahead"
    return (
        f"{device}; torch {torch.__version__}, {threads}; {options.frames} frames of at most {options.side} px a clip, "
        f"batches of {options.batch}; load of the machine at the end {os.getloadavg()[0]:.1f}."
    )


def _frames(request: ClipRequest) -> Frames:
    return read(Path(request.path), request.stamps_s, request.side_px)


def _chat(processor: Any, prompt: str) -> str:
    content = [{"type": "video"}, {"type": "text", "text": prompt}]
    return str(processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True))


def _about(stamps: Sequence[float]) -> dict[str, Any]:
    at = [round(stamp * 1000) for stamp in stamps]
    return {"fps": 1000.0, "total_num_frames": 4000, "duration": 4.0, "frames_indices": at}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, help="default: those that suit the machine")
    parser.add_argument("--clips", type=int, help="default: by the size of the model")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--side", type=int, default=448)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="that read ahead")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--memory", type=int, nargs="*", default=[])
    parser.add_argument("--markdown", type=Path, help="document whose tables are replaced")
    options = parser.parse_args()
    is_cuda = torch.cuda.is_available()
    if not is_cuda:
        torch.set_num_threads(os.cpu_count() or 1)
    rows, arithmetic, wrong = [], [], []
    sections: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = clip_files(options.corpus, Path(folder))
        for name in options.models or (["tiny", "qwen3-vl-2b"] if is_cuda else ["tiny", "smolvlm-256m"]):
            print(f"{name} …", file=sys.stderr, flush=True)
            model = MODELS[name]()
            count = options.clips or (256 if is_cuda else 96 if name == "tiny" else 8)
            asked = requests(files, count, options.frames, options.side)
            costs, fault = measured(model, asked, options)
            rows += cost_rows(name, model, costs, count)
            arithmetic.append(arithmetic_row(name, model, asked, costs[OURS]))
            wrong += [f"{name}: {fault}"] if fault else []
            del model
        if options.memory:
            sections["labelling-memory"] = table(["clips", "peak, MB"], memory_rows(options.memory, files[0]))
    head = ["model", "variant", "clips/s", "CPU-s per clip", "cost over ours", "model waits for frames"]
    columns = ["model", "labels by", "prompt tokens", "10¹² operations per clip", "10¹² per second at most", "share"]
    suffix = "gpu" if is_cuda else "cpu"
    sections[f"labelling-{suffix}"] = table(head, rows)
    sections[f"labelling-arithmetic-{suffix}"] = table(columns, arithmetic)
    sections[f"labelling-machine-{suffix}"] = machine(options)
    for marker, text in sections.items():
        print(f"\n{text}")
        if options.markdown:
            fill(options.markdown, marker, text)
    for text in wrong:
        print(f"NOT EQUAL {text}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
