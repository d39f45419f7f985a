"""LoRA adapters of generators: reading them, giving them to a pipeline, and proof that they change anything.

Belongs here: names of weights, several adapters at once. Does not belong here: where a file is.

diffusers loads a file whose names match no layer without an error, and then nothing is different. What DiffSynth-Studio
saves is such a file until its names are changed. So the layers are counted, and an adapter that reaches none, or whose
matrices are zeros, is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.core.model_place import ModelNotUsableError


@dataclass(frozen=True)
class Adapter:
    """A file of weights, how strongly they count, and what a person calls it: peft takes no dots in names."""

    name: str
    path: Path
    weight: float
    sha256: str


def add_adapters(pipeline: Any, adapters: Sequence[Adapter]) -> None:
    """Adds all of them, each with its weight. Raises ModelNotUsableError where one changes nothing."""
    if not adapters:
        return
    if not hasattr(pipeline, "load_lora_weights"):
        raise ModelNotUsableError(f"{type(pipeline).__name__} takes no LoRA adapters: leave out `adapters`")
    names = [f"adapter_{number}" for number in range(len(adapters))]
    for name, adapter in zip(names, adapters, strict=True):
        _add(pipeline, name, adapter)
    pipeline.set_adapters(names, adapter_weights=[adapter.weight for adapter in adapters])


def _add(pipeline: Any, name: str, adapter: Adapter) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(adapter.path)
    except (OSError, SafetensorError) as error:
        raise ModelNotUsableError(
            f"adapter {adapter.name}: {adapter.path.name} cannot be read as safetensors: {error}"
        ) from error
    if not state:
        raise ModelNotUsableError(f"adapter {adapter.name}: {adapter.path.name} holds no weights")
    said = ""
    for names in (dict(state), for_diffusers(state)):
        try:
            # The conversion inside changes tensors where the file names alphas: it gets copies.
            pipeline.load_lora_weights({key: value.clone() for key, value in names.items()}, adapter_name=name)
        except Exception as error:  # noqa: BLE001 - each family refuses names in its own way
            said = f"; diffusers says: {str(error).splitlines()[0]}"
            continue
        if layers := layers_of(pipeline, name):
            if not any(_changes(layer, name) for layer in layers):
                raise ModelNotUsableError(
                    f"adapter {adapter.name}: {adapter.path.name} changes nothing: its matrices are zeros, as before "
                    "training. Take the file of a later step"
                )
            return
    raise ModelNotUsableError(
        f"adapter {adapter.name}: {adapter.path.name} changes nothing: names like {min(state)} match no layer of "
        f"{type(pipeline).__name__}. Take an adapter that was trained for this model, in the names of diffusers, peft "
        f"or DiffSynth-Studio{said}"
    )


def for_diffusers(state: Mapping[str, Any]) -> dict[str, Any]:
    """The weights of a file of DiffSynth-Studio under names that diffusers converts."""
    return {f"diffusion_model.{key.replace('.default.', '.')}": value for key, value in state.items()}


def layers_of(pipeline: Any, name: str) -> list[Any]:
    """The layers of all parts of a pipeline that an adapter of peft has reached."""
    parts = [part for part in pipeline.components.values() if hasattr(part, "named_modules")]
    return [
        layer
        for part in parts
        for _, layer in part.named_modules()
        if name in getattr(layer, "lora_B", ()) or name in getattr(layer, "lora_embedding_B", ())
    ]


def _changes(layer: Any, name: str) -> bool:
    if name in layer.lora_B:
        return bool(layer.lora_B[name].weight.any()) and bool(layer.lora_A[name].weight.any())
    return bool(layer.lora_embedding_B[name].any()) and bool(layer.lora_embedding_A[name].any())
