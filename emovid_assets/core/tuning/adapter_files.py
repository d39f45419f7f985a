"""Files of adapters: the names that diffusers, ComfyUI and DiffSynth-Studio give the layers of Wan, and what is said of
an adapter in its own file.

Belongs here: names, headers, several adapters as one. Does not belong here: giving an adapter to a pipeline
(`core.generation.adapters`).
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from emovid_assets.core.tuning.lora import LAYERS, Values

ATTENTIONS = {"attn1": "self_attn", "attn2": "cross_attn"}
DIFFUSERS_PREFIX, COMFYUI_PREFIX = "transformer.", "diffusion_model."
_NAME = re.compile(
    rf"blocks\.(?P<block>\d+)\.(?:(?P<attention>{'|'.join([*ATTENTIONS, *ATTENTIONS.values()])})\.)?(?P<layer>.+)"
    r"\.(?P<half>lora_[AB])\.weight"
)
_ALIGNED = 8


def for_diffusers(values: Values) -> dict[str, Any]:
    """Under the names that diffusers saves and loads."""
    return {f"{DIFFUSERS_PREFIX}{name}": value for name, value in values.items()}


def for_comfyui(values: Values) -> dict[str, Any]:
    """Under Wan's own names behind `diffusion_model.`, which ComfyUI, diffusers and most trainers read."""
    return {f"{COMFYUI_PREFIX}{_original(name)}": value for name, value in values.items()}


def _original(name: str) -> str:
    """Wan's own name of a layer that is called as diffusers calls it. Raises ValueError for one that Wan does not
    have."""
    return _told(name, _renamed(name, ATTENTIONS, {theirs: ours for ours, theirs in LAYERS.items()}))


def _ours(name: str) -> str:
    """The name of diffusers of a layer in either naming. Raises ValueError for one that Wan does not have."""
    plain = name.removeprefix(DIFFUSERS_PREFIX).removeprefix(COMFYUI_PREFIX).replace(".default.", ".")
    same = _renamed(plain, {one: one for one in ATTENTIONS}, {one: one for one in LAYERS.values()})
    return _told(name, same or _renamed(plain, {wans: ours for ours, wans in ATTENTIONS.items()}, LAYERS))


def _renamed(name: str, attentions: Mapping[str, str], layers: Mapping[str, str]) -> str | None:
    """With other words for attention and layer; null where a word is none of these."""
    found = _NAME.fullmatch(name)
    if found is None or found["layer"] not in layers or found["attention"] not in (None, *attentions):
        return None
    words = [attentions[found["attention"]]] if found["attention"] else []
    return ".".join(["blocks", found["block"], *words, layers[found["layer"]], found["half"], "weight"])


def _told(name: str, renamed: str | None) -> str:
    if renamed is None:
        raise ValueError(f"{name} is the name of no layer of Wan that an adapter is trained for")
    return renamed


def values_in(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The layers of a file of diffusers, ComfyUI or DiffSynth-Studio under the names of diffusers, without a prefix.

    Raises ValueError for a name that is that of no layer of Wan, a layer of which a half is missing or does not fit the
    other, and where there is none.
    """
    found = {_ours(name): value for name, value in tensors.items()}
    if not found:
        raise ValueError("it holds no layer")
    for name in found:
        layer = name.partition(".lora_")[0]
        first, second = (found.get(f"{layer}.lora_{half}.weight") for half in "AB")
        if first is None or second is None or [first.ndim, second.ndim] != [2, 2] or len(first) != second.shape[1]:
            raise ValueError(f"{layer} has no two halves that fit each other")
    return found


def as_file(tensors: Mapping[str, Any], said: Mapping[str, str]) -> bytes:
    """A safetensors file whose header says something of it. Equal tensors and words give equal bytes: safetensors
    itself writes what is said in an order that changes from one process to the next."""
    from safetensors.torch import save

    plain = save({name: value.contiguous() for name, value in tensors.items()})
    length = int.from_bytes(plain[:8], "little")
    header = json.dumps({"__metadata__": dict(sorted(said.items())), **json.loads(plain[8 : 8 + length])})
    encoded = header.encode()
    encoded += b" " * (-len(encoded) % _ALIGNED)
    return len(encoded).to_bytes(8, "little") + encoded + plain[8 + length :]


def said_in(path: Path) -> dict[str, str]:
    """What the header of a safetensors file says of it."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return dict(file.metadata() or {})


def as_one(adapters: Iterable[tuple[Mapping[str, Any], float]]) -> dict[str, Any]:
    """Several adapters of one naming, each with its weight, as one that changes a layer by Σ weight · B A.

    Its rank is the sum of theirs, so nothing is lost: halves of a layer lie beside each other.
    Raises ValueError where they are adapters of models of different widths, or the sum is no number.
    """
    import torch

    halves: dict[str, list[Any]] = {}
    widths: dict[str, int] = {}
    for values, weight in adapters:
        for name, value in values.items():
            width = value.shape[0 if ".lora_B." in name else 1]
            if widths.setdefault(name, width) != width:
                raise ValueError(f"{name} is {widths[name]:,} wide in one and {width:,} in another")
        for name, value in values.items():
            halves.setdefault(name, []).append(value * weight if ".lora_B." in name else value)
    summed = {name: torch.cat(found, 1 if ".lora_B." in name else 0) for name, found in sorted(halves.items())}
    if strange := next((name for name, value in summed.items() if not bool(value.isfinite().all())), None):
        raise ValueError(f"{strange} would hold what is no number")
    return summed
