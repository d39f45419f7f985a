"""diffusion-pipe: folders of clips with captions beside them, a TOML of the data and one of the training.

Belongs here: its layout and settings. Facts: `utils/dataset.py` and `docs/supported_models.md` at 8f83dbf.

It counts frames by int(count × rate of the model / rate of the file), which can lose one, and passes over what is then
shorter than every bucket; so a clip holds two more, which it cuts off. `size_buckets` are [width, height, frames]: a
clip goes to the longest that it fills among those of the nearest shape. Everything but texts and archives in a folder
would be opened as a picture.
"""

from collections.abc import Mapping

from emovid_assets.core.tuning.trainers.shape import (
    EPOCHS,
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

DATASET, TRAINING = "dataset.toml", "training.toml"
_MODELS: Mapping[str, tuple[str, ...]] = {
    "wan": ('type = "wan"', 'ckpt_path = "models/Wan2.1-T2V-14B"'),
    "wan2.2-5b": ('type = "wan"', 'ckpt_path = "models/Wan2.2-TI2V-5B"'),
    "hunyuanvideo": (
        'type = "hunyuan-video"',
        'transformer_path = "models/hunyuan_video_720_cfgdistill_fp8_e4m3fn.safetensors"',
        'vae_path = "models/hunyuan_video_vae_bf16.safetensors"',
        'llm_path = "models/llava-llama-3-8b-text-encoder-tokenizer"',
        'clip_path = "models/clip-vit-large-patch14"',
    ),
    "ltx-video": ('type = "ltx-video"', 'diffusers_path = "models/LTX-Video"'),
}


def _settings(exported: Exported) -> Mapping[str, str]:
    where = (
        "Run in a checkout of diffusion-pipe; in training.toml put your files in the place of models/….\n"
        "Cards of the RTX 4000 series want NCCL_P2P_DISABLE=1 NCCL_IB_DISABLE=1 before it."
    )
    command = ("deepspeed", "--num_gpus=1", "train.py", "--deepspeed", "--config", exported.folder / TRAINING)
    return {DATASET: _dataset(exported), TRAINING: _training(exported), LAUNCH: script(where, command)}


def _dataset(exported: Exported) -> str:
    buckets = sorted({(one.size.width_px, one.size.height_px, one.frame_count) for one in exported.examples})
    lines = ["size_buckets = [", *(f"  [{width}, {height}, {count}]," for width, height, count in buckets), "]"]
    for folder, example in folders(exported, by_domain):
        lines += [
            "",
            "[[directory]]",
            f"path = {text(exported.folder / folder)}",
            f"num_repeats = {example.repeats}",
        ]
    return "\n".join(lines) + "\n"


def _training(exported: Exported) -> str:
    lines = [
        f"output_dir = {text(exported.folder / OUTPUT)}",
        f"dataset = {text(exported.folder / DATASET)}",
        f"epochs = {EPOCHS}",
        "micro_batch_size_per_gpu = 1",
        "pipeline_stages = 1",
        "gradient_accumulation_steps = 1",
        "gradient_clipping = 1",
        "warmup_steps = 10",
        "save_every_n_epochs = 1",
        "checkpoint_every_n_minutes = 60",
        "activation_checkpointing = true",
        'partition_method = "parameters"',
        'save_dtype = "bfloat16"',
        "caching_batch_size = 1",
        "steps_per_print = 1",
        'video_clip_mode = "single_beginning"',
        "",
        "[model]",
        *_MODELS[exported.family.name],
        'dtype = "bfloat16"',
        'timestep_sample_method = "logit_normal"',
        "",
        "[adapter]",
        'type = "lora"',
        f"rank = {RANK}",
        'dtype = "bfloat16"',
        "",
        "[optimizer]",
        'type = "adamw_optimi"',
        f"lr = {LEARNING_RATE}",
        "betas = [0.9, 0.99]",
        "weight_decay = 0.01",
    ]
    return "\n".join(lines) + "\n"


DIFFUSION_PIPE = Trainer(
    "diffusion-pipe",
    "diffusion-pipe",
    tuple(_MODELS),
    by_domain,
    captions_beside(by_domain),
    _settings,
    more_frames=2,
)
