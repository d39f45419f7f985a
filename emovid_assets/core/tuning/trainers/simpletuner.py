"""SimpleTuner: a dataset a folder, with captions beside the clips, in a JSON list; and a JSON of the training.

Belongs here: its layout and settings. Facts: `documentation/DATALOADER.md`, `multiaspect/image.py` and
`data_backend/` at bc8e6ab (4.8).

A dataset has one number of frames: shorter clips are passed over, longer ones cut. So clips are cut to whole seconds,
that there are not too many datasets, and those of one size and number are one. `repeats` counts the times beyond the
first. Every line of a caption's file is a caption.
"""

from collections.abc import Mapping

from emovid_assets.core.tuning.families import Family
from emovid_assets.core.tuning.trainers.shape import (
    LAUNCH,
    LEARNING_RATE,
    OUTPUT,
    RANK,
    Example,
    Exported,
    Trainer,
    as_json,
    captions_beside,
    folders,
    script,
)

BACKENDS, TRAINING = "multidatabackend.json", "config.json"
_MODELS = {
    "wan": ("wan", "Wan-AI/Wan2.1-T2V-14B-Diffusers", "t2v-480p-14b-2.1"),
    "ltx-video": ("ltxvideo", "Lightricks/LTX-Video-0.9.5", None),
}
ALIGNMENT = 16
"""Its default of 64 would make 480 rows 448."""


def _place(example: Example) -> str:
    return f"clips/{example.domain}-{example.size}-{example.frame_count}"


def whole_seconds(family: Family, count: int) -> int:
    """The largest number up to `count` that the family is trained on and that is about a whole number of seconds; of
    less than one second what there is."""
    seconds = (count - 1) // family.rate
    return family.largest_count(seconds * family.rate + 1) if seconds else count


def _settings(exported: Exported) -> Mapping[str, str]:
    where = "Run where SimpleTuner is installed (pip install 'simpletuner[cuda]')."
    command = ("env", f"CONFIG_PATH={exported.folder}", "CONFIG_BACKEND=json", "simpletuner", "train")
    return {
        BACKENDS: as_json(_backends(exported)),
        TRAINING: as_json(_training(exported)),
        LAUNCH: script(where, command),
    }


def _backends(exported: Exported) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for folder, example in folders(exported, _place):
        name = folder.removeprefix("clips/")
        found.append(
            {
                "id": name,
                "type": "local",
                "dataset_type": "video",
                "instance_data_dir": str(exported.folder / folder),
                "cache_dir_vae": str(exported.folder / "cache" / "vae" / name),
                "caption_strategy": "textfile",
                "metadata_backend": "discovery",
                "crop": False,
                "resolution": min(example.size.width_px, example.size.height_px),
                "resolution_type": "pixel",
                "minimum_image_size": 0,
                "repeats": example.repeats - 1,
                "video": {
                    "num_frames": example.frame_count,
                    "min_frames": example.frame_count,
                    "is_i2v": False,
                },
            }
        )
    texts: dict[str, object] = {
        "id": "text-embeds",
        "type": "local",
        "dataset_type": "text_embeds",
        "default": True,
        "cache_dir": str(exported.folder / "cache" / "text"),
    }
    return [*found, texts]


def _training(exported: Exported) -> dict[str, object]:
    family, repository, flavour = _MODELS[exported.family.name]
    return {
        "data_backend_config": str(exported.folder / BACKENDS),
        "output_dir": str(exported.folder / OUTPUT),
        "model_family": family,
        **({"model_flavour": flavour} if flavour else {}),
        "pretrained_model_name_or_path": repository,
        "model_type": "lora",
        "lora_type": "standard",
        "lora_rank": RANK,
        "lora_alpha": RANK,
        "framerate": exported.family.rate,
        "aspect_bucket_alignment": ALIGNMENT,
        "aspect_bucket_rounding": 2,
        "disable_bucket_pruning": True,
        "train_batch_size": 1,
        "max_train_steps": exported.step_count(),
        "num_train_epochs": 0,
        "checkpoint_step_interval": 500,
        "resume_from_checkpoint": "latest",
        "learning_rate": LEARNING_RATE,
        "optimizer": "adamw_bf16",
        "lr_scheduler": "constant",
        "mixed_precision": "bf16",
        "gradient_checkpointing": True,
        "caption_dropout_probability": 0.0,
        "validation_disable": True,
        "seed": 0,
    }


SIMPLETUNER = Trainer(
    "simpletuner",
    "SimpleTuner",
    tuple(_MODELS),
    _place,
    captions_beside(_place),
    _settings,
    shortened=whole_seconds,
)
