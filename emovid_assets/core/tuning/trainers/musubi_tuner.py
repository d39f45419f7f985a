"""musubi-tuner: folders of clips with captions beside them, and a TOML that names them.

Belongs here: its layout and settings. Facts: `dataset/image_video_dataset.py` at 30c658c.

`head` takes as many frames as `target_frames` says (one, where it does not) and passes over shorter clips without a
word; `full` takes each clip as long as it is. Buckets come from the area of `resolution` alone, so each size is a
dataset whose area it is. Two datasets may not share a cache, and within one a file's base name is all that tells
clips apart.
"""

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
    captions_beside,
    folders,
    script,
    text,
)

DATASETS = "dataset.toml"
_WHERE = "Run in a checkout of musubi-tuner; put your files in the place of what begins with models/."


def _place(example: Example) -> str:
    return f"clips/{example.domain}-{example.size}"


def _settings(exported: Exported) -> Mapping[str, str]:
    return {DATASETS: _datasets(exported), LAUNCH: _FAMILIES[exported.family.name](exported)}


def _datasets(exported: Exported) -> str:
    lines = [
        "[general]",
        'caption_extension = ".txt"',
        "batch_size = 1",
        "enable_bucket = true",
        "bucket_no_upscale = false",
    ]
    for folder, example in folders(exported, _place):
        lines += [
            "",
            "[[datasets]]",
            f"video_directory = {text(exported.folder / folder)}",
            f"cache_directory = {text(exported.folder / 'cache' / folder.removeprefix('clips/'))}",
            f"resolution = [{example.size.width_px}, {example.size.height_px}]",
            'frame_extraction = "full"',
            f"max_frames = {exported.frames}",
            f"num_repeats = {example.repeats}",
        ]
    return "\n".join(lines) + "\n"


def _wan(exported: Exported) -> str:
    data = ("--dataset_config", exported.folder / DATASETS)
    return script(
        f"{_WHERE}\nFor image-to-video: --i2v at the first command (Wan 2.1 also --clip), an i2v task at the last.",
        ("python", "src/musubi_tuner/wan_cache_latents.py", *data, "--vae", "models/wan_2.1_vae.safetensors"),
        (
            *("python", "src/musubi_tuner/wan_cache_text_encoder_outputs.py", *data),
            *("--t5", "models/models_t5_umt5-xxl-enc-bf16.pth", "--batch_size", 16),
        ),
        _train(
            exported,
            "wan_train_network.py",
            *("--task", "t2v-14B", "--dit", "models/wan2.1_t2v_14B_bf16.safetensors"),
            *("--network_module", "networks.lora_wan", "--timestep_sampling", "shift", "--discrete_flow_shift", 3.0),
        ),
    )


def _hunyuanvideo(exported: Exported) -> str:
    data = ("--dataset_config", exported.folder / DATASETS)
    return script(
        _WHERE,
        (
            *("python", "src/musubi_tuner/cache_latents.py", *data),
            *("--vae", "models/hunyuan-video-vae.pt", "--vae_chunk_size", 32, "--vae_tiling"),
        ),
        (
            *("python", "src/musubi_tuner/cache_text_encoder_outputs.py", *data),
            *("--text_encoder1", "models/text_encoder", "--text_encoder2", "models/text_encoder_2"),
            *("--batch_size", 16),
        ),
        _train(
            exported,
            "hv_train_network.py",
            *("--dit", "models/mp_rank_00_model_states.pt", "--network_module", "networks.lora"),
            *("--timestep_sampling", "shift", "--discrete_flow_shift", 7.0),
        ),
    )


def _train(exported: Exported, program: str, *options: object) -> tuple[object, ...]:
    return (
        *("accelerate", "launch", "--num_cpu_threads_per_process", 1, "--mixed_precision", "bf16"),
        *(f"src/musubi_tuner/{program}", "--dataset_config", exported.folder / DATASETS, *options),
        *("--network_dim", RANK, "--network_alpha", RANK, "--learning_rate", LEARNING_RATE),
        *("--optimizer_type", "adamw8bit", "--sdpa", "--mixed_precision", "bf16", "--gradient_checkpointing"),
        *("--max_train_epochs", EPOCHS, "--save_every_n_epochs", 1, "--seed", 0),
        *("--output_dir", exported.folder / OUTPUT, "--output_name", "emovid"),
    )


_FAMILIES = {"wan": _wan, "hunyuanvideo": _hunyuanvideo}

MUSUBI_TUNER = Trainer("musubi-tuner", "musubi-tuner", tuple(_FAMILIES), _place, captions_beside(_place), _settings)
