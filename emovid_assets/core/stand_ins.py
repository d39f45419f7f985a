"""What transformers asks for and does without: two operators of torchvision, English numerals.

Belongs here: stand-ins that let transformers' own code run unchanged, each with why it is enough. Does not belong here:
changes to what a model computes.
"""

from typing import Any

_kept: list[Any] = []
"""torch forgets operators when the library that declared them is collected."""
_NUMERALS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
)


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


def give_numerals_to_smolvlm() -> None:
    """SmolVLM's processor writes the number of frames as a word and asks num2words for it; nothing else is asked."""
    from transformers.models.smolvlm import processing_smolvlm

    if processing_smolvlm.num2words is None:
        processing_smolvlm.num2words = numeral


def numeral(number: int) -> str:
    """0 to 999,999 in words, as num2words writes them in English."""
    words = _NUMERALS.split()
    if number < 20:
        return words[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return words[18 + tens] + (f"-{words[ones]}" if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{words[hundreds]} hundred" + (f" and {numeral(rest)}" if rest else "")
    thousands, rest = divmod(number, 1000)
    joint = " and " if rest < 100 else ", "
    return f"{numeral(thousands)} thousand" + (f"{joint}{numeral(rest)}" if rest else "")
