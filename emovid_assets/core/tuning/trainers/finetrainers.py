"""finetrainers: a list of videos and one of prompts, line by line.

Belongs here: its lists and settings. Facts: `data/dataset.py` and `functional/video.py` at f476c37.

A clip longer than its bucket is thinned out evenly, that is, played faster, so each number of frames that there is
has a bucket of its own. They are [frames, height, width]. By default a clip is squeezed to its bucket. Several
datasets are read in turn, the smaller ones over and over, so all clips are one; a line is repeated.
"""

from collections.abc import Mapping

from emovid_assets.core.tuning.trainers.shape import (
    LAUNCH,
    LEARNING_RATE,
    OUTPUT,
    RANK,
    Example,
    Exported,
    Trainer,
    as_json,
    script,
)

ROOT, VIDEOS, PROMPTS, DATASETS = "data", "videos.txt", "prompts.txt", "training.json"
_MODELS = {
    "wan": ("wan", "Wan-AI/Wan2.1-T2V-14B-Diffusers", "blocks.*(to_q|to_k|to_v|to_out.0)"),
    "hunyuanvideo": (
        "hunyuan_video",
        "hunyuanvideo-community/HunyuanVideo",
        "(transformer_blocks|single_transformer_blocks).*(to_q|to_k|to_v|to_out.0)",
    ),
    "cogvideox": ("cogvideox", "THUDM/CogVideoX-5b", "transformer_blocks.*(to_q|to_k|to_v|to_out.0)"),
    "ltx-video": ("ltx_video", "a-r-r-o-w/LTX-Video-diffusers", "transformer_blocks.*(to_q|to_k|to_v|to_out.0)"),
}


def _place(_: Example) -> str:
    return f"{ROOT}/clips"


def _lists(exported: Exported) -> Mapping[str, str]:
    rows = [example for example in exported.mixed() for _ in range(example.repeats)]
    return {
        f"{ROOT}/{VIDEOS}": "".join(f"clips/{example.name}.mp4\n" for example in rows),
        f"{ROOT}/{PROMPTS}": "".join(f"{example.caption}\n" for example in rows),
    }


def _settings(exported: Exported) -> Mapping[str, str]:
    name, repository, targets = _MODELS[exported.family.name]
    buckets = {(one.frame_count, one.size.height_px, one.size.width_px) for one in exported.examples}
    dataset = {
        "data_root": str(exported.folder / ROOT),
        "dataset_type": "video",
        "video_resolution_buckets": [list(bucket) for bucket in sorted(buckets)],
        "reshape_mode": "resize_crop",
        "remove_common_llm_caption_prefixes": False,
    }
    command = (
        *("accelerate", "launch", "train.py", "--parallel_backend", "accelerate"),
        *("--model_name", name, "--pretrained_model_name_or_path", repository),
        *("--dataset_config", exported.folder / DATASETS, "--dataset_shuffle_buffer_size", 32),
        *("--training_type", "lora", "--rank", RANK, "--lora_alpha", RANK, "--target_modules", targets),
        *("--batch_size", 1, "--train_steps", exported.step_count(), "--lr", LEARNING_RATE, "--optimizer", "adamw"),
        *("--flow_weighting_scheme", "logit_normal", "--gradient_checkpointing", "--seed", 0),
        *("--output_dir", exported.folder / OUTPUT),
    )
    where = "Run in a checkout of finetrainers, with datasets>=3.4,<4: with version 4 it cannot read a video."
    return {DATASETS: as_json({"datasets": [dataset]}), LAUNCH: script(where, command)}


FINETRAINERS = Trainer("finetrainers", "finetrainers", tuple(_MODELS), _place, _lists, _settings)
