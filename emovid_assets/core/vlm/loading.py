"""Loading a vision-language model by transformers' Auto classes, and saying what is wrong where that fails.

Belongs here: device, precision, adapters, refusals. Does not belong here: what is asked of a loaded model.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace
from emovid_assets.core.stand_ins import declare_torchvision_operators


def load(
    place: ModelPlace, *, device: str, precision: str, trust_remote_code: bool, adapter: Path | None
) -> tuple[Any, Any]:
    """(model, processor). Raises ModelNotUsableError."""
    declare_torchvision_operators()
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    chosen = _device(device, precision)
    # A revision names a commit of the hub; of a folder it is a digest.
    where = {
        "revision": place.revision if place.folder is None else None,
        "trust_remote_code": trust_remote_code,
    }
    try:
        processor = AutoProcessor.from_pretrained(place.load_from, **where)
        model: Any = AutoModelForImageTextToText.from_pretrained(
            place.load_from, **where, **_weights(chosen, precision)
        )
        if precision != "4bit":
            model = model.to(chosen)
        if adapter is not None:
            model = _with_adapter(model, adapter, merge=model.dtype == torch.float32)
    except ModelNotUsableError:
        raise
    # The Auto classes, safetensors and the code of a model raise whatever they like.
    except Exception as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise ModelNotUsableError(
                f"{place.model_id} does not fit into the memory of the GPU; take a smaller model, or precision = "
                f'"4bit".'
            ) from error
        raise ModelNotUsableError(_why(place, error)) from error
    return model.eval(), processor


def _device(device: str, precision: str) -> str:
    import torch

    is_cuda_there = torch.cuda.is_available()
    if device == "cuda" and not is_cuda_there:
        raise ModelNotUsableError('device = "cuda": torch sees no GPU here. Take "auto" or "cpu".')
    if precision == "4bit" and (not is_cuda_there or device == "cpu"):
        raise ModelNotUsableError(
            'precision = "4bit" needs a GPU, and torch sees none or device = "cpu" forbids it. Take "auto".'
        )
    return "cuda" if is_cuda_there and device != "cpu" else "cpu"


def _weights(device: str, precision: str) -> dict[str, Any]:
    """How weights are read: their type, or four bits by bitsandbytes with calculations in bfloat16."""
    import torch

    if precision == "4bit":
        if find_spec("bitsandbytes") is None:
            raise ModelNotUsableError(
                'precision = "4bit" needs bitsandbytes: pip install bitsandbytes, or take "auto".'
            )
        from transformers import BitsAndBytesConfig

        four_bit = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
        )
        return {"quantization_config": four_bit, "device_map": {"": 0}, "dtype": torch.bfloat16}
    if precision == "auto":
        precision = "bfloat16" if device == "cuda" else "float32"
    return {"dtype": getattr(torch, precision)}


def _with_adapter(model: Any, adapter: Path, *, merge: bool) -> Any:
    try:
        from peft import PeftModel
    except ImportError as error:
        raise ModelNotUsableError("An adapter needs peft, which is not installed: pip install peft.") from error

    adapted = PeftModel.from_pretrained(model, adapter)
    # Merged weights cost nothing at each pass. But small changes are lost in sums of 16 bits, and of 4 all the more:
    # the labels would be another model's than the one that was measured.
    return adapted.merge_and_unload() if merge else adapted


def _why(place: ModelPlace, error: Exception) -> str:
    """What transformers said, as what to do."""
    said = str(error).strip()
    first = said.splitlines()[0] if said else type(error).__name__
    if "trust_remote_code" in said:
        return (
            f"{place.model_id} brings its own Python code. If you trust it, set trust_remote_code = true beside its "
            f"name in emovid.toml; otherwise take a model that transformers knows."
        )
    if "Unrecognized configuration class" in said:
        return (
            f"{place.model_id} is no vision-language model that transformers knows; take one of the kind "
            f"image-text-to-text."
        )
    if "Could not find a processor" in said or "preprocessor_config" in said or "Unrecognized processing" in said:
        return f"{place.model_id} has no processor for pictures: {first}. Take a folder that holds the processor too."
    return f"{place.model_id} cannot be loaded by transformers: {first}"
