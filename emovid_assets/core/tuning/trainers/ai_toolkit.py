"""ai-toolkit: folders of clips with captions beside them, and a YAML job.

Belongs here: its layout and settings. Facts: `toolkit/data_loader.py` and `toolkit/dataloader_mixins.py` at 27a03a91.

Without `num_frames` or `auto_frame_count` it looks for no video at all; with `num_frames` it spreads that many over a
whole clip. `auto_frame_count` keeps the time: int(length × `fps`), which can lose a frame, cut to the grid of the
model; so a clip holds one more. A folder is searched with all below it.
"""

import math
from collections.abc import Mapping

from emovid_assets.core.tuning.trainers.shape import (
    LAUNCH,
    LEARNING_RATE,
    OUTPUT,
    RANK,
    Exported,
    Trainer,
    by_domain,
    captions_beside,
    folders,
    script,
    text,
)

JOB = "job.yaml"
_MODELS = {
    "wan": ("Wan-AI/Wan2.1-T2V-14B-Diffusers", "wan21"),
    "wan2.2-5b": ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", "wan22_5b"),
    "ltx-2": ("Lightricks/LTX-2", "ltx2"),
}


def _settings(exported: Exported) -> Mapping[str, str]:
    where = "Run in a checkout of ai-toolkit."
    return {JOB: _job(exported), LAUNCH: script(where, ("python", "run.py", exported.folder / JOB))}


def _job(exported: Exported) -> str:
    model, architecture = _MODELS[exported.family.name]
    # The side of the square of as many pixels: no clip is made smaller, and none is ever made larger.
    side = math.ceil(math.sqrt(exported.most_pixels))
    lines = [
        "job: extension",
        "config:",
        "  name: emovid",
        "  process:",
        "    - type: sd_trainer",
        f"      training_folder: {text(exported.folder / OUTPUT)}",
        "      device: cuda:0",
        "      network:",
        "        type: lora",
        f"        linear: {RANK}",
        f"        linear_alpha: {RANK}",
        "      save:",
        "        dtype: bf16",
        "        save_every: 500",
        "        max_step_saves_to_keep: 4",
        "      datasets:",
    ]
    for folder, example in folders(exported, by_domain):
        lines += [
            f"        - folder_path: {text(exported.folder / folder)}",
            "          caption_ext: txt",
            "          caption_dropout_rate: 0.0",
            "          auto_frame_count: true",
            f"          fps: {exported.family.rate}",
            f"          resolution: [{side}]",
            f"          num_repeats: {example.repeats}",
            "          cache_latents_to_disk: true",
        ]
    lines += [
        "      train:",
        "        batch_size: 1",
        f"        steps: {exported.step_count()}",
        "        gradient_accumulation: 1",
        "        train_unet: true",
        "        train_text_encoder: false",
        "        gradient_checkpointing: true",
        "        noise_scheduler: flowmatch",
        "        timestep_type: sigmoid",
        "        optimizer: adamw8bit",
        f"        lr: {LEARNING_RATE}",
        "        cache_text_embeddings: true",
        "        disable_sampling: true",
        "        dtype: bf16",
        "      model:",
        f"        name_or_path: {text(model)}",
        f"        arch: {text(architecture)}",
        "        quantize: true",
        "        quantize_te: true",
        "        low_vram: true",
        "meta:",
        '  name: "[name]"',
        '  version: "1.0"',
    ]
    return "\n".join(lines) + "\n"


AI_TOOLKIT = Trainer(
    "ai-toolkit",
    "ai-toolkit",
    tuple(_MODELS),
    by_domain,
    captions_beside(by_domain),
    _settings,
    more_frames=1,
)
