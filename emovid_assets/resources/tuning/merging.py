"""Several adapters of Wan as one file.

Belongs here: which files are meant, what is said of the one that comes of them. Does not belong here: names of layers
and the sum (`core.tuning.adapter_files`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emovid_assets.core.identity import file_sha256
from emovid_assets.core.placing import put_bytes
from emovid_assets.core.tuning.adapter_files import as_file, as_one, for_comfyui, for_diffusers, said_in, values_in
from emovid_assets.home.folders import Home

NAMINGS = {"diffusers": for_diffusers, "comfyui": for_comfyui}
_BASE, _LICENCE = "emovid.base_model", "emovid.data_licence"


class NotMergeableError(ValueError):
    """These adapters are no one adapter; the message says what to do."""


@dataclass(frozen=True)
class Part:
    """An adapter and how strongly it counts, as a person has written it: a name that was trained here, or a file."""

    written: str
    weight: float


def merge(home: Home, parts: Sequence[Part], target: Path, naming: str) -> int:
    """Writes an adapter that changes each layer by the weighted sum of what the parts change; gives its layers.

    Raises NotMergeableError, OSError.
    """
    if target.exists():
        raise NotMergeableError(f"{target} is there already: give another name with -o, or remove it")
    if not any(part.weight for part in parts):
        raise NotMergeableError("with a weight of 0 for all of them nothing would be left")
    files = [_file(home, part) for part in parts]
    values = [(_values(path), part.weight) for part, path in zip(parts, files, strict=True)]
    headers = [said_in(path) for path in files]
    bases = sorted({header[_BASE] for header in headers if _BASE in header})
    if len(bases) > 1:
        raise NotMergeableError(f"the adapters were trained for different models: {', '.join(bases)}")
    try:
        summed = as_one(values)
    except ValueError as error:
        raise NotMergeableError(
            f"the adapters cannot be added up: {error}: take adapters of one model, and smaller weights"
        ) from error
    merged = [
        {"adapter": path.name, "weight": part.weight, "sha256": file_sha256(path)}
        for part, path in zip(parts, files, strict=True)
    ]
    said = {"format": "pt", "emovid.merged": json.dumps(merged), **({_BASE: bases[0]} if bases else {})}
    # What is not known of one of them is not known of their sum.
    licences = sorted({header.get(_LICENCE, "not stated") for header in headers})
    put_bytes(target, as_file(NAMINGS[naming](summed), {**said, _LICENCE: " + ".join(licences)}), is_replacing=False)
    return len(summed) // 2


def _file(home: Home, part: Part) -> Path:
    for path in (home.adapters / f"{part.written}.safetensors", home.root / part.written, Path(part.written)):
        if path.is_file():
            return path
    raise NotMergeableError(
        f"'{part.written}' is no adapter of {home.adapters} and no file: write NAME or FILE, with =WEIGHT behind "
        "it where it is not to count once"
    )


def _values(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return values_in(load_file(path))
    except SafetensorError as error:
        raise NotMergeableError(f"{path} cannot be read as safetensors: {error}") from error
    except ValueError as error:
        raise NotMergeableError(f"{path}: {error}: only whole adapters of Wan without alphas can be merged") from error
