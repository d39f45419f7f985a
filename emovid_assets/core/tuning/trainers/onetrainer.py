"""OneTrainer: folders of clips with captions beside them as concepts, and a JSON of the training. HunyuanVideo only.

Belongs here: its layout and settings. Facts: `scripts/train.py` at 23df383, `LoadVideo.py` of mgds at 3a6994a.

It draws where a clip begins, passes over the frame that is shown there and takes as many as it was told; where there
are fewer it repeats the last one. So only clips of the full number are of use to it, with one more.
"""

import math
from collections.abc import Mapping

from emovid_assets.core.tuning.trainers.shape import (
    EPOCHS,
    LAUNCH,
    LEARNING_RATE,
    OUTPUT,
    RANK,
    Exported,
    Trainer,
    as_json,
    by_domain,
    captions_beside,
    folders,
    script,
)

CONCEPTS, TRAINING = "concepts.json", "training.json"
PRESET = "training_presets/Hunyuan Video/#hunyuan video LoRA.json"


def _settings(exported: Exported) -> Mapping[str, str]:
    command = (
        *("python", "scripts/train.py", "--preset-path", PRESET),
        *("--config-path", exported.folder / TRAINING),
    )
    return {
        CONCEPTS: as_json(_concepts(exported)),
        TRAINING: as_json(_training(exported)),
        LAUNCH: script("Run in a checkout of OneTrainer.", command),
    }


def _concepts(exported: Exported) -> list[dict[str, object]]:
    return [
        {
            "name": example.domain,
            "path": str(exported.folder / folder),
            "seed": number,
            "enabled": True,
            "type": "STANDARD",
            "include_subdirectories": False,
            "balancing": float(example.repeats),
            "balancing_strategy": "REPEATS",
            "loss_weight": 1.0,
            "text": {"prompt_source": "sample"},
            "image": {"enable_crop_jitter": False},
        }
        for number, (folder, example) in enumerate(folders(exported, by_domain))
    ]


def _training(exported: Exported) -> dict[str, object]:
    side = str(math.isqrt(exported.most_pixels))
    return {
        "concept_file_name": str(exported.folder / CONCEPTS),
        "workspace_dir": str(exported.folder / OUTPUT),
        "cache_dir": str(exported.folder / "cache"),
        "output_model_destination": str(exported.folder / OUTPUT / "emovid.safetensors"),
        "frames": str(exported.frames),
        "resolution": str(exported.sizes[0]) if len(exported.sizes) == 1 else side,
        "batch_size": 1,
        "epochs": EPOCHS,
        "learning_rate": LEARNING_RATE,
        "lora_rank": RANK,
        "lora_alpha": float(RANK),
    }


ONETRAINER = Trainer(
    "onetrainer",
    "OneTrainer",
    ("hunyuanvideo",),
    by_domain,
    captions_beside(by_domain),
    _settings,
    more_frames=1,
    takes_shorter=False,
)
