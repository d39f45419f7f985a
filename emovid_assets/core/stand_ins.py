"""What transformers asks for and does without: two operators of torchvision.

Belongs here: stand-ins that let transformers' own code run unchanged, and why they are enough. Does not belong here:
changes to what a model computes.
"""

from typing import Any

_kept: list[Any] = []
"""torch forgets operators when the library that declared them is collected."""


def declare_torchvision_operators() -> None:
    """Lets `import torchvision` pass beside a torch without CUDA.

    PyPI's wheel of torchvision is built for CUDA: beside a CPU torch its library does not load, and the import fails
    where two operators get their Python part. Video processors use `torchvision.transforms.v2` alone, which is plain
    torch. Must run before torchvision is first imported; does nothing where the operators exist.
    """
    import torch

    if torch.version.cuda or _kept or hasattr(torch.ops.torchvision, "nms"):
        return
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept.append(library)
