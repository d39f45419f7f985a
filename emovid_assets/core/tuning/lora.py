"""A low-rank adapter (LoRA, Hu et al. 2021) on the denoiser of a video generator, by peft.

Belongs here: which layers get one, its values. Does not belong here: training it (`loop`), files (`adapter_files`).
"""

from collections.abc import Mapping
from typing import Any

from emovid_assets.core.model_place import ModelNotUsableError
from emovid_assets.core.tuning.recipe import Recipe

LAYERS = {
    "q": "to_q",
    "k": "to_k",
    "v": "to_v",
    "o": "to_out.0",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
}
"""Wan's own names, which DiffSynth-Studio, ComfyUI and the paper speak of → those of diffusers."""
_PEFT_NAME = "default"

Values = Mapping[str, Any]
"""Tensors by the names of diffusers, such as `blocks.0.attn1.to_q.lora_A.weight`."""


def attach(transformer: Any, recipe: Recipe) -> dict[str, Any]:
    """Puts an adapter that changes nothing yet into the model, in place; gives the parameters that learn, by name.

    They are in float32, the rest stays as it is and does not learn. What it begins with follows from the seed alone.
    Raises ModelNotUsableError for a model without such layers.
    """
    import torch
    from peft import LoraConfig

    transformer.requires_grad_(False)
    targets = [LAYERS[name] for name in recipe.targets]
    config = LoraConfig(r=recipe.rank, lora_alpha=recipe.rank, target_modules=targets)
    # Whoever draws numbers after this draws what they would have drawn without it.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        try:
            transformer.add_adapter(config, adapter_name=_PEFT_NAME)
        except ValueError as error:
            raise ModelNotUsableError(
                f"{type(transformer).__name__} has no layers named {', '.join(targets)}: {str(error).splitlines()[0]}"
            ) from error
    learning = {}
    for name, parameter in transformer.named_parameters():
        if parameter.requires_grad:
            # Steps of AdamW are smaller than what bfloat16 can tell apart.
            parameter.data = parameter.data.float()
            learning[name.replace(f".{_PEFT_NAME}.", ".")] = parameter
    return learning


def values_of(learning: Values) -> dict[str, Any]:
    """Copies on the CPU, in float32."""
    return {name: parameter.detach().cpu().clone() for name, parameter in learning.items()}


def set_values(learning: Values, values: Values) -> None:
    for name, parameter in learning.items():
        parameter.data.copy_(values[name])
