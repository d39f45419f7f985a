"""How many frames a video has: families of generators make 4k + 1 and the like, round what they are asked for, and are
trained on such numbers alone.

Belongs here: the rule of each family in diffusers 0.42, by the class of its pipeline. Does not belong here: how many a
file holds, which only the file says.
"""

from collections.abc import Callable


def _wan(asked: int) -> int:
    return asked if asked % 4 == 1 else asked // 4 * 4 + 1


def _cogvideox(asked: int) -> int:
    # Its decoder takes two latent frames at a time, of which only the first of all stands for a single frame.
    latent = (asked - 1) // 4 + 1
    return 4 * latent if latent % 2 == 0 else 4 * latent - 3


def _hunyuan(asked: int) -> int:
    return (asked - 1) // 4 * 4 + 1


def _hunyuan_from_picture(asked: int) -> int:
    # The frames that stand for the picture itself are cut off again.
    return max(0, _hunyuan(asked) - 4)


def _ltx(asked: int) -> int:
    return (asked - 1) // 8 * 8 + 1


_LATENT = 4
"""Frames that a latent one stands for at least, in all of them."""
_FAMILIES: tuple[tuple[str, Callable[[int], int]], ...] = (
    ("HunyuanVideoImageToVideo", _hunyuan_from_picture),
    ("HunyuanVideo", _hunyuan),
    ("CogVideoX", _cogvideox),
    ("Wan", _wan),
    ("LTX", _ltx),
)
"""By how the name of the class begins, the longest first."""


def frames_made(pipeline_class: str, asked: int) -> int | None:
    """How many frames come where `asked` are asked for; null for a family that is not known.

    HunyuanVideo from a picture: of the published model whose pictures are joined to the noise (`latent_concat`).
    """
    rule = next((rule for name, rule in _FAMILIES if pipeline_class.startswith(name)), None)
    return None if rule is None else rule(asked)


def largest_whole(pipeline_class: str, most: int) -> int | None:
    """The largest number of frames up to `most` that a model is trained on as it stands: one, and then whole groups of
    as many as a latent frame stands for. Null for a family that is not known, or where `most` is less than one.

    CogVideoX also makes 8, 16, …, whose first latent frame stands for no single one; published models were not trained
    on those.
    """
    return next((n for n in range(most, 0, -1) if n % _LATENT == 1 and frames_made(pipeline_class, n) == n), None)


def rounding_told(pipeline_class: str, asked: int) -> str | None:
    """A sentence where another number of frames comes than is asked for, with the next number that comes as it is."""
    made = frames_made(pipeline_class, asked)
    if made is None or made == asked:
        return None
    exact = next((n for n in range(asked, asked + 16) if frames_made(pipeline_class, n) == n), None)
    instead = f"; {exact} come as asked" if exact is not None else ""
    return f"{pipeline_class} makes {made} frames where {asked} are asked for{instead}"
