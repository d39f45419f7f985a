"""What a run against a server will cost, before it begins.

Belongs here: arithmetic on settings, counts and what finished clips have cost. Does not belong here: reading a store,
printing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emovid_assets.home.settings import CaptionerSettings, LabellerSettings

TOKEN_SIDE_PX = 28
"""Assumed side of the square that one image token stands for, as in Qwen2.5-VL (14 px patches, merged two by two)."""
FEWEST_IMAGE_TOKENS = 4
"""Assumed for the smallest frame."""
PROMPT_TEXT_TOKENS = 120
"""Assumed for the words of a prompt and what a chat template puts around them."""
TOKENS_PER_WORD = 1.4
"""Assumed for English captions."""
BYTES_PER_PIXEL = 0.3
"""Assumed for JPEG at quality 90, before base64 makes four characters of three bytes: the mean over films, animation
and stickers at 448 px, half of which take less than 0.2."""
PLAIN_SIZE = (1280, 720)
"""Width and height that are assumed for clips where none is known."""


@dataclass(frozen=True)
class Estimate:
    """What remains to be paid for. Tokens are sums over all requests; `hours` is None where no rate is known.

    `price` has the currency of the settings' prices, which are 0 by default. It goes by `answered_count` clips;
    `assumptions` says what they do not tell.
    """

    request_count: int
    prompt_token_count: int
    output_token_count: int
    upload_bytes: int
    price: float
    hours: float | None
    answered_count: int
    assumptions: tuple[str, ...]

    @property
    def basis(self) -> str:
        """What it goes by, in words."""
        clips = "clip" if self.answered_count == 1 else "clips"
        by = [f"by {self.answered_count:,} {clips} answered under the present settings"] if self.answered_count else []
        return "; ".join([*by, *(["assumed: " + "; ".join(self.assumptions)] if self.assumptions else [])])


def estimate(
    settings: LabellerSettings | CaptionerSettings,
    clip_count: int,
    sizes_px: Sequence[tuple[int, int]] = (),
    finished: Sequence[Mapping[str, Any]] = (),
    requests_per_s: float | None = None,
) -> Estimate:
    """The cost of asking about `clip_count` clips.

    `sizes_px`: width and height of some of them. `finished`: payloads of clips that were answered under the same
    settings, frames and prompt included; their means are taken before any assumption. `requests_per_s`: the rate to
    reckon with, else that of the finished clips. A caption that must be written anew costs more; finished clips hold
    that, assumptions do not.
    """
    per_clip = settings.rotations if isinstance(settings, LabellerSettings) and settings.answer == "letters" else 1
    sent = [_smaller(size, settings.frame_side_px) for size in sizes_px or [PLAIN_SIZE]]
    assumptions = []
    requests = _mean(finished, "attempt_count") or float(per_clip)
    prompt_tokens = _mean(finished, "prompt_token_count")
    if prompt_tokens is None:
        image = math.fsum(map(_image_tokens, sent)) / len(sent)
        prompt_tokens = requests * (settings.frames * image + PROMPT_TEXT_TOKENS)
        assumptions.append(
            f"{image:.0f} tokens a frame (one per {TOKEN_SIDE_PX} × {TOKEN_SIDE_PX} px), {PROMPT_TEXT_TOKENS} of words"
        )
    output_tokens = _mean(finished, "output_token_count")
    if output_tokens is None:
        output_tokens, said = _written(settings, per_clip)
        assumptions += said
    if not sizes_px:
        assumptions.append(f"clips of {PLAIN_SIZE[0]} × {PLAIN_SIZE[1]} px")
    model_s = _mean(finished, "model_s")
    clip_s = requests / requests_per_s if requests_per_s else model_s
    frame_bytes = math.fsum(width * height for width, height in sent) / len(sent) * BYTES_PER_PIXEL * 4 / 3
    price = prompt_tokens * settings.prompt_price + output_tokens * settings.output_price
    return Estimate(
        request_count=round(clip_count * requests),
        prompt_token_count=round(clip_count * prompt_tokens),
        output_token_count=round(clip_count * output_tokens),
        upload_bytes=round(clip_count * requests * settings.frames * frame_bytes),
        price=clip_count * price / 1e6,
        hours=None if clip_s is None else clip_count * clip_s / 3600,
        answered_count=len(finished),
        assumptions=tuple(assumptions),
    )


def _written(settings: LabellerSettings | CaptionerSettings, requests: int) -> tuple[float, list[str]]:
    """Tokens that a clip's answers have, and what was assumed for that."""
    if isinstance(settings, CaptionerSettings):
        tokens = min(settings.max_words * TOKENS_PER_WORD, settings.max_tokens)
        return tokens, [f"captions of {settings.max_words} words, {tokens:.0f} tokens, each right at the first attempt"]
    # A letter is one token; a word of emotion is at most four in the vocabularies of today.
    return (float(requests), []) if settings.answer == "letters" else (4.0, ["4 tokens a word"])


def _smaller(size: tuple[int, int], side_px: int) -> tuple[int, int]:
    """A frame's size as it is sent: its longest side is at most `side_px`."""
    scale = min(1.0, side_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _image_tokens(size: tuple[int, int]) -> int:
    columns, rows = (max(1, round(side / TOKEN_SIDE_PX)) for side in size)
    return max(FEWEST_IMAGE_TOKENS, columns * rows)


def _mean(payloads: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """None where no payload tells it."""
    told = [payload[name] for payload in payloads if payload.get(name) is not None]
    return math.fsum(told) / len(told) if told else None
