"""Where a training is, in one file that is either the old one or the new one whenever the power fails.

Belongs here: tensors in and out. Does not belong here: when it is written, what is trained.
"""

import logging
from pathlib import Path
from typing import Any

from emovid_assets.core.placing import DISK_FAULTS, put_into_place

_LOG = logging.getLogger(__name__)


def write(path: Path, state: dict[str, Any]) -> None:
    """Tensors, numbers, texts, lists and dictionaries of these."""
    import torch

    with put_into_place(path) as temporary, temporary.open("wb") as file:
        torch.save(state, file)


def read(path: Path) -> dict[str, Any] | None:
    """What was written, on the CPU; null where there is nothing, or nothing that is whole: what can be trained again
    is to stop nobody. Executes no code that a file may hold."""
    import torch

    try:
        with path.open("rb") as file:
            state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    # torch says in a dozen ways that a file was cut off or changed.
    except Exception as error:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in DISK_FAULTS:
            raise
        _LOG.warning(f"{path} cannot be read and is passed over, so its training begins anew: {error}")
        return None
    return state


def random_state() -> dict[str, Any]:
    """Of torch's generators, on the CPU and on each GPU."""
    import torch

    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}


def restore_random_state(state: dict[str, Any]) -> None:
    """What `random_state` gave, on a machine with as many GPUs."""
    import torch

    torch.set_rng_state(state["cpu"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
