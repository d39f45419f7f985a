"""DiffSynth-Studio 2.1: a table of videos and prompts.

Belongs here: its table and how it is started. Facts: `UnifiedDataset` and `parsers.py` of 2.1.12.

It takes the first `--num_frames` frames of a file at whatever rate, fewer of a shorter one as 4k + 1. Without
`--height` and `--width` a clip keeps its size up to `--max_pixels`. It knows no weights: a row is repeated.
"""

import csv
import io
from collections.abc import Mapping

from emovid_assets.core.tuning.trainers.shape import (
    EPOCHS,
    LAUNCH,
    LEARNING_RATE,
    OUTPUT,
    RANK,
    Example,
    Exported,
    Trainer,
    by_domain,
    script,
)

TABLE = "metadata.csv"
_WAN21, _WAN22 = "Wan-AI/Wan2.1-T2V-14B", "Wan-AI/Wan2.2-TI2V-5B"
_TEXTS = "models_t5_umt5-xxl-enc-bf16.pth"
_FILES = {
    "wan": (_WAN21, ("diffusion_pytorch_model*.safetensors", _TEXTS, "Wan2.1_VAE.pth")),
    "wan2.2-5b": (_WAN22, ("diffusion_pytorch_model*.safetensors", _TEXTS, "Wan2.2_VAE.pth")),
}


def _lists(exported: Exported) -> Mapping[str, str]:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("video", "prompt"))
    for example in exported.mixed():
        writer.writerows([(_video(example), example.caption)] * example.repeats)
    return {TABLE: table.getvalue()}


def _video(example: Example) -> str:
    return f"{by_domain(example)}/{example.name}.mp4"


def _settings(exported: Exported) -> Mapping[str, str]:
    repository, files = _FILES[exported.family.name]
    size = exported.sizes[0]
    sizes = (
        ("--height", size.height_px, "--width", size.width_px)
        if len(exported.sizes) == 1
        else ("--max_pixels", exported.most_pixels)
    )
    command = (
        *("accelerate", "launch", "examples/wanvideo/model_training/train.py"),
        *("--dataset_base_path", exported.folder, "--dataset_metadata_path", exported.folder / TABLE),
        *("--data_file_keys", "video", "--dataset_repeat", 1),
        *(*sizes, "--num_frames", exported.frames),
        *("--model_id_with_origin_paths", ",".join(f"{repository}:{name}" for name in files)),
        *("--learning_rate", LEARNING_RATE, "--num_epochs", EPOCHS),
        *("--lora_base_model", "dit", "--lora_target_modules", "q,k,v,o,ffn.0,ffn.2", "--lora_rank", RANK),
        *("--remove_prefix_in_ckpt", "pipe.dit.", "--output_path", exported.folder / OUTPUT),
        "--use_gradient_checkpointing",
    )
    where = "Run in a checkout of DiffSynth-Studio. For image-to-video: the I2V model, and --extra_inputs input_image."
    return {LAUNCH: script(where, command)}


DIFFSYNTH = Trainer("diffsynth", "DiffSynth-Studio", tuple(_FILES), by_domain, _lists, _settings)
