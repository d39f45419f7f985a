"""A low-rank adapter (LoRA, Hu et al. 2021) on a loaded vision-language model, by peft.

Belongs here: which parts of a model get one, its files. Does not belong here: training it (`fine_tuning`), loading a
model with one (`loading`).
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace

_LANGUAGE = r"(?!.*(?:vision|visual|image|video|audio|projector|connector|merger|resampler))"
_PROJECTIONS = "q_proj|k_proj|v_proj|o_proj|qkv_proj|gate_proj|up_proj|down_proj|gate_up_proj"
TARGETS = rf"^{_LANGUAGE}.*\.(?:{_PROJECTIONS})$"
"""Attention and MLP of the language model, by the names that LLaVA-OneVision, Qwen-VL, SmolVLM and InternVL share."""
WHOLE = ("lm_head", "multi_modal_projector", "mm_projector", "connector", "merger")
"""What `train_projector` adds, unfactored, as far as a model has it."""
HALF = ("bfloat16", "float16")


@dataclass(frozen=True)
class AdapterShape:
    """`alpha` / `rank` is the adapter's scale; `whole` adds the projector and the head."""

    rank: int
    alpha: int
    dropout: float
    whole: bool


def attach(model: Any, place: ModelPlace, shape: AdapterShape) -> Any:
    """Puts an adapter that changes nothing yet into the model, in place; gives peft's wrapper of it.

    What learns is in float32, the rest stays as it is and does not learn. Raises ModelNotUsableError for a model
    without a part of a known name, and where peft is missing.
    """
    try:
        from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    except ImportError as error:
        raise ModelNotUsableError(
            "Fine-tuning needs peft, which is not installed: pip install peft, or labeller.fine_tune = false."
        ) from error
    names = [name for name, _ in model.named_modules()]
    if not any(re.match(TARGETS, name) for name in names):
        raise ModelNotUsableError(
            f"{place.model_id} has no layers of the names that an adapter is put into ({_PROJECTIONS}); set "
            f"labeller.fine_tune = false to use the model as it is."
        )
    whole = [part for part in WHOLE if any(name.rpartition(".")[2] == part for name in names)] if shape.whole else []
    if getattr(model, "is_loaded_in_4bit", False):
        model = prepare_model_for_kbit_training(model)
    config = LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha,
        lora_dropout=shape.dropout,
        target_modules=TARGETS,
        modules_to_save=whole or None,
        task_type="CAUSAL_LM",
    )
    adapted = get_peft_model(model, config)
    for parameter in adapted.parameters():
        if parameter.requires_grad and str(parameter.dtype).removeprefix("torch.") in HALF:
            # Steps of AdamW are smaller than what bfloat16 can tell apart.
            parameter.data = parameter.data.float()
    return adapted


def learning(adapted: Any) -> dict[str, Any]:
    """Name → parameter of all that learns."""
    return {name: parameter for name, parameter in adapted.named_parameters() if parameter.requires_grad}


def save(adapted: Any, place: ModelPlace, folder: Path) -> None:
    """Writes `adapter_model.safetensors` and `adapter_config.json`, which names the model and no folder of ours."""
    adapted.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    # A model card of peft's own making, which names the place of the base model on this machine.
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config |= {"base_model_name_or_path": place.model_id, "revision": place.revision}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
