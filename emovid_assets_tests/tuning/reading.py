"""Exports as trainers read them, by rules that were written from their sources and documents and from nothing of ours.

Belongs here: a reader a trainer. Each says what an epoch sees: of which file which frames, at which size, with which
caption. Does not belong here: anything of the writer; names of keys and files are spelt out again on purpose.
"""

import csv
import json
import math
import random
import shlex
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import imageio_ffmpeg
import numpy as np
import yaml

MEDIA = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".wmv", ".m4v", ".flv"}
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".avif"}


@dataclass(frozen=True)
class Seen:
    """One step of an epoch. `frames`: uint8 (count, height, width, 3), before the trainer scales them to `size`."""

    name: str
    caption: str
    frames: np.ndarray
    size: tuple[int, int]


def by_pyav(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def by_ffmpeg(path: Path) -> np.ndarray:
    count, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    frames = imageio_ffmpeg.read_frames(str(path))
    width, height = next(frames)["size"]
    found = [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in frames]
    assert len(found) == count
    return np.stack(found)


def by_opencv(path: Path) -> np.ndarray:
    capture, found = cv2.VideoCapture(str(path)), []
    for _ in range(int(capture.get(cv2.CAP_PROP_FRAME_COUNT))):
        is_read, frame = capture.read()
        assert is_read, f"{path.name} says that it has more frames than it gives"
        found.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
    return np.stack(found)


def facts(path: Path) -> tuple[int, float, int, int]:
    """(frames, rate, width, height) as the container says."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.frames, float(stream.average_rate), stream.codec_context.width, stream.codec_context.height


def caption_beside(path: Path, encoding: str = "utf-8") -> str:
    return path.with_suffix(".txt").read_text(encoding=encoding).strip()


def diffsynth(folder: Path) -> Iterator[Seen]:
    """`UnifiedDataset` with `default_video_operator`: the first `--num_frames`, fewer as 4k + 1; without height and
    width the size of the file, down to multiples of 16, up to `--max_pixels`. imageio asks FFmpeg for the pictures."""
    options = options_of((folder / "launch.sh").read_text(encoding="utf-8"))
    base = Path(options["--dataset_base_path"])
    with Path(options["--dataset_metadata_path"]).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            decoded = by_ffmpeg(base / row["video"])
            count = min(len(decoded), int(options["--num_frames"]))
            if count < int(options["--num_frames"]):
                while count > 1 and count % 4 != 1:
                    count -= 1
            frames = decoded[:count]
            height, width = frames.shape[1:3]
            if "--height" in options:
                size = int(options["--width"]), int(options["--height"])
            else:
                assert width * height <= int(options["--max_pixels"])
                size = width // 16 * 16, height // 16 * 16
            yield Seen(Path(row["video"]).stem, row["prompt"], frames, size)


def musubi_tuner(folder: Path) -> Iterator[Seen]:
    """`VideoDataset` with `full`, and `BucketSelector`: areas in steps of 16."""
    config = tomllib.loads((folder / "dataset.toml").read_text(encoding="utf-8"))
    general_keys = {
        "resolution",
        "caption_extension",
        "batch_size",
        "num_repeats",
        "enable_bucket",
        "bucket_no_upscale",
    }
    own_keys = {"video_directory", "cache_directory", "frame_extraction", "max_frames", "target_frames"}
    assert set(config) == {"general", "datasets"}
    assert set(config["general"]) <= general_keys
    caches = [dataset["cache_directory"] for dataset in config["datasets"]]
    assert len(set(caches)) == len(caches)
    cached = set()
    for dataset in config["datasets"]:
        assert set(dataset) <= general_keys | own_keys
        keys = config["general"] | dataset
        assert keys["frame_extraction"] == "full"
        for path in sorted(Path(keys["video_directory"]).glob("*")):
            if path.suffix not in MEDIA:
                continue
            frames = by_pyav(path)
            count = (min(len(frames), keys["max_frames"]) - 1) // 4 * 4 + 1
            caption = path.with_suffix(keys["caption_extension"]).read_text(encoding="utf-8").strip()
            cache = (keys["cache_directory"], path.name.split(".")[0], count)
            assert cache not in cached
            cached.add(cache)
            size = _musubi_bucket(keys["resolution"], frames.shape[2], frames.shape[1])
            for _ in range(keys["num_repeats"]):
                yield Seen(path.stem, caption, frames[:count], size)


def _musubi_bucket(resolution: list[int], width: int, height: int) -> tuple[int, int]:
    area = resolution[0] * resolution[1]
    side = int(math.sqrt(area))
    found = set()
    for wide in range(side // 2 // 16 * 16, side + 16, 16):
        if wide:
            found |= {(wide, area // wide // 16 * 16), (area // wide // 16 * 16, wide)}
    return min(sorted(found), key=lambda size: abs(size[0] / size[1] - width / height))


def diffusion_pipe(folder: Path) -> Iterator[Seen]:
    """`DirectoryDataset` with size buckets; what is no text is opened as a picture."""
    training = tomllib.loads((folder / "training.toml").read_text(encoding="utf-8"))
    assert training["video_clip_mode"] == "single_beginning"
    assert training["adapter"]["type"] == "lora"
    rate = {"wan": 16, "hunyuan-video": 24, "ltx-video": 25}[training["model"]["type"]]
    if "TI2V-5B" in training["model"].get("ckpt_path", ""):
        rate = 24
    dataset = tomllib.loads(Path(training["dataset"]).read_text(encoding="utf-8"))
    buckets = sorted(dataset["size_buckets"], key=lambda bucket: bucket[-1], reverse=True)
    for directory in dataset["directory"]:
        for path in sorted(Path(directory["path"]).glob("*")):
            if not path.is_file() or path.suffix in {".txt", ".npz", ".json", ".parquet", ".bak", ".db"}:
                continue
            assert path.suffix in MEDIA, f"{path.name} would be opened as a picture"
            count, source_rate, width, height = facts(path)
            frames_said = int(count * rate / source_rate)
            caption = caption_beside(path)
            assert caption, "a clip without a caption is passed over"
            nearest = sorted(buckets, key=lambda one: abs(math.log(width / height) - math.log(one[0] / one[1])))
            bucket = next((one for one in nearest if one[2] != 1 and frames_said >= one[2]), None)
            if bucket is None:
                continue
            decoded = by_pyav(path)
            kept = int(len(decoded) * rate / source_rate)
            resampled = decoded[np.linspace(0, len(decoded) - 1, kept).astype(int)]
            assert len(resampled) >= bucket[2], "the whole run would stop"
            for _ in range(directory["num_repeats"]):
                yield Seen(path.stem, caption, resampled[: bucket[2]], (bucket[0], bucket[1]))


def finetrainers(folder: Path) -> Iterator[Seen]:
    """`_initialize_local_dataset`, `VideoFileCaptionFileListDataset`, `resize_to_nearest_bucket_video`."""
    (dataset,) = json.loads((folder / "training.json").read_text(encoding="utf-8"))["datasets"]
    root = Path(dataset["data_root"])
    assert dataset["reshape_mode"] == "resize_crop"
    assert not dataset["remove_common_llm_caption_prefixes"]
    assert not [path for path in root.rglob("*") if path.suffix in {".tar", ".parquet"}]
    assert not list(root.glob("metadata.*"))
    texts = sorted(path.name for path in root.glob("*.txt"))
    assert texts == ["prompts.txt", "videos.txt"]
    assert not [path for path in root.glob("*") if path.suffix in MEDIA], "pairs would go before lists"
    videos = (root / "videos.txt").read_text(encoding="utf-8").splitlines()
    prompts = (root / "prompts.txt").read_text(encoding="utf-8").splitlines()
    assert len(videos) == len(prompts)
    buckets = dataset["video_resolution_buckets"]
    for video, prompt in zip(videos, prompts, strict=True):
        frames = by_pyav(root / video)
        count, height, width = frames.shape[:3]
        able = [bucket for bucket in buckets if bucket[0] <= count]
        length = max(bucket[0] for bucket in able) if able else min(buckets, key=lambda b: abs(b[0] - count))[0]
        same = [bucket for bucket in buckets if bucket[0] == length]
        bucket = min(same, key=lambda one: (abs(one[2] / one[1] - width / height), -one[1], -one[2]))
        if count > bucket[0]:
            frames = frames[np.linspace(0, count - 1, bucket[0]).astype(int)]
        yield Seen(Path(video).stem, prompt, frames, (bucket[2], bucket[1]))


def ai_toolkit(folder: Path) -> Iterator[Seen]:
    """`AiToolkitDataset` with `auto_frame_count` and a trimmed tail, by OpenCV; folders with all below them."""
    (process,) = yaml.safe_load((folder / "job.yaml").read_text(encoding="utf-8"))["config"]["process"]
    compression = {"wan21": 4, "wan22_5b": 4, "ltx2": 8}[process["model"]["arch"]]
    step = {"wan21": 16, "wan22_5b": 32, "ltx2": 32}[process["model"]["arch"]]
    for dataset in process["datasets"]:
        assert dataset["auto_frame_count"]
        found = sorted(path for path in Path(dataset["folder_path"]).rglob("*") if not path.name.startswith("."))
        assert not [path for path in found if path.suffix in PICTURES], "pictures would be trained on as well"
        for path in found:
            if path.suffix not in MEDIA:
                continue
            decoded = by_opencv(path)
            rate = cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FPS)
            wanted = int(len(decoded) / rate * dataset["fps"])
            count = max(0, wanted - 1) // compression * compression + 1
            numbers = [min(round(index * rate / dataset["fps"]), len(decoded) - 1) for index in range(count)]
            (side,) = dataset["resolution"]
            size = _ai_toolkit_bucket(decoded.shape[2], decoded.shape[1], side, step)
            caption = path.with_suffix(f".{dataset['caption_ext']}").read_text(encoding="utf-8").strip()
            for _ in range(dataset["num_repeats"]):
                yield Seen(path.stem, caption, decoded[numbers], size)


def _ai_toolkit_bucket(width: int, height: int, side: int, step: int) -> tuple[int, int]:
    pixels, most = width * height, side * side
    wanted = min(pixels, most)
    scale = (wanted / pixels) ** 0.5
    wide, high = width * scale / step, height * scale / step
    able = [
        (x * step, y * step)
        for x in (math.floor(wide), math.ceil(wide))
        for y in (math.floor(high), math.ceil(high))
        if 0 < x * step * y * step <= most
    ]
    return min(able, key=lambda size: abs(size[0] * size[1] - wanted))


def simpletuner(folder: Path) -> Iterator[Seen]:
    """The discovery backend: the first `num_frames`, shorter ones passed over; every line of a text is a caption."""
    training = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    backends = json.loads(Path(training["data_backend_config"]).read_text(encoding="utf-8"))
    assert [one["id"] for one in backends if one["dataset_type"] == "text_embeds" and one["default"]] == ["text-embeds"]
    assert len({one["id"] for one in backends}) == len(backends)
    for backend in backends:
        if backend["dataset_type"] != "video":
            continue
        assert backend["resolution_type"] == "pixel"
        for path in sorted(Path(backend["instance_data_dir"]).rglob("*")):
            if path.suffix not in MEDIA:
                continue
            frames = by_pyav(path)
            assert backend["video"]["min_frames"] >= backend["video"]["num_frames"]
            if len(frames) < backend["video"]["min_frames"]:
                continue
            captions = [line for line in path.with_suffix(".txt").read_text(encoding="utf-8").splitlines() if line]
            size = _simpletuner_size(backend["resolution"], training["aspect_bucket_alignment"], frames)
            for _ in range(backend["repeats"] + 1):
                yield Seen(path.stem, "|".join(captions), frames[: backend["video"]["num_frames"]], size)


def _simpletuner_size(resolution: int, step: int, frames: np.ndarray) -> tuple[int, int]:
    height, width = frames.shape[1:3]
    aspect = round(width / height, 2)
    wanted = (resolution, int(resolution / aspect)) if width < height else (int(resolution * aspect), resolution)
    return round(wanted[0] / step) * step, round(wanted[1] / step) * step


def onetrainer(folder: Path) -> Iterator[Seen]:
    """mgds' `LoadVideo`: where a clip begins is drawn, the frame there passed over, the last one repeated."""
    training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    count = int(training["frames"])
    chance = random.Random(0)
    for concept in json.loads(Path(training["concept_file_name"]).read_text(encoding="utf-8")):
        assert concept["enabled"]
        assert concept["balancing_strategy"] == "REPEATS"
        for path in sorted(Path(concept["path"]).glob("*")):
            assert path.suffix not in PICTURES, "pictures would be trained on as well"
            if path.suffix not in MEDIA:
                continue
            decoded = by_pyav(path)
            said, rate, width, height = facts(path)
            for _ in range(int(concept["balancing"])):
                start = chance.uniform(0, (said - 1) / rate - (count - 1) / 24)
                first = next(number for number in range(said) if (number + 1) / rate > start) + 1
                numbers = [min(first + number, len(decoded) - 1) for number in range(count)]
                yield Seen(path.stem, caption_beside(path), decoded[numbers], (width, height))


def options_of(script: str) -> dict[str, str]:
    """Options of the last command of a launching script."""
    words = shlex.split(script.rpartition("\n\n")[2].replace("\\\n", " "))
    found: dict[str, Any] = {}
    for word in words:
        if word.startswith("--"):
            name = word
            found[name] = ""
        elif found:
            found[name] = word
    return found


READERS: dict[str, Callable[[Path], Iterator[Seen]]] = {
    "diffsynth": diffsynth,
    "musubi-tuner": musubi_tuner,
    "diffusion-pipe": diffusion_pipe,
    "finetrainers": finetrainers,
    "ai-toolkit": ai_toolkit,
    "simpletuner": simpletuner,
    "onetrainer": onetrainer,
}
