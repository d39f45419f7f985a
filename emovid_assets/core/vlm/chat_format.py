"""How a model is spoken to: its chat template, pictures as a video or one by one, and what an answer looks like.

Belongs here: from a prompt and frames to a processor's tensors, the tokens of the labels with the token that ends an
answer. Does not belong here: the model.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.model_place import ModelNotUsableError

_SAID = "emovidanswer"
"""Stands for an answer while the template is asked what it writes around one."""
_TICKS = 1000
"""Processors count time in frames of a fixed rate: with this one a frame's number is its stamp in milliseconds."""


class ChatFormat:
    """The words around frames and answers. May be used from several threads.

    `end_ids` are the tokens that end an answer; `answers` are the eight labels in EmoSet's order as token ids, each
    with the template's end token. Raises ModelNotUsableError where a processor cannot take frames.
    """

    def __init__(self, processor: Any, end_ids: Sequence[int]) -> None:
        self.processor = processor
        self.tokenizer: Any = getattr(processor, "tokenizer", None)
        if self.tokenizer is None or getattr(processor, "image_processor", None) is None:
            raise ModelNotUsableError(
                "The model has no processor for pictures (preprocessor_config.json or processor_config.json); take a "
                "folder that transformers' processor.save_pretrained has written, or the model's id on the hub."
            )
        template = getattr(processor, "chat_template", None) or getattr(self.tokenizer, "chat_template", None)
        if not template:
            raise ModelNotUsableError(
                "The model has no chat template, so nobody knows how to ask it; take the variant that is tuned for "
                "instructions, or put its chat_template.jinja into the folder."
            )
        self._may_think = "enable_thinking" in str(template)
        _settle(self.tokenizer)
        self._least_frames = 1
        self.as_video = self._takes_video()
        lead, end = self._around_an_answer(end_ids)
        self.end_ids = sorted({end, *end_ids})
        self.answers = [[*self._ids(lead + name), end] for name in EMOTION_NAMES]

    def encoded(self, frames: Sequence[np.ndarray], pts_s: Sequence[float], prompt: str) -> dict[str, Any]:
        """Tensors on the CPU for one clip: `input_ids` (1, tokens) and the rest by the processor's names.

        `frames` are uint8 (height, width, 3), all of one size; `pts_s` their stamps in seconds, ascending.
        """
        return self._encoded(frames, pts_s, prompt, as_video=self.as_video)

    def _encoded(
        self, frames: Sequence[np.ndarray], pts_s: Sequence[float], prompt: str, *, as_video: bool
    ) -> dict[str, Any]:
        import torch

        text = self._prompt_text(prompt, len(frames), as_video)
        options: dict[str, Any] = {"return_tensors": "pt", "padding": False}
        bos = self.tokenizer.bos_token
        if bos and text.startswith(bos):
            options["add_special_tokens"] = False
        if as_video:
            while len(frames) < self._least_frames:
                frames, pts_s = [*frames, frames[-1]], [*pts_s, pts_s[-1]]
            options["videos"] = [torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)]
            options["video_metadata"] = [_metadata(pts_s)]
            options["do_sample_frames"] = False
        else:
            options["images"] = [list(frames)]
        return dict(self.processor(text=[text], **options))

    def _prompt_text(self, prompt: str, frame_count: int, as_video: bool) -> str:
        question = _message("user", _pictures(frame_count, as_video), prompt)
        text = self._rendered([question], add_generation_prompt=True)
        if text.rstrip().endswith("<think>"):
            raise ModelNotUsableError(
                "The model thinks aloud before it answers, so its first words are no label; take its Instruct variant."
            )
        return text

    def _rendered(self, messages: list[dict[str, Any]], **options: Any) -> str:
        if self._may_think:
            options["enable_thinking"] = False
        return str(self.processor.apply_chat_template(messages, tokenize=False, **options))

    def _takes_video(self) -> bool:
        """Whether frames go in as a video: as many models write stamps beside those. Else as pictures, one by one."""
        frames, faults = [np.full((32, 32, 3), 120, np.uint8)] * 2, []
        ways = [True, False] if getattr(self.processor, "video_processor", None) is not None else [False]
        for as_video in ways:
            try:
                given = self._encoded(frames, [0.0, 1.0], "?", as_video=as_video)
            except ModelNotUsableError:
                raise
            # A template, a tokenizer and a processor of unknown make: each has its own ways to refuse.
            except Exception as error:  # noqa: BLE001
                faults.append(f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}")
                continue
            if any(name.startswith("pixel_values") for name in given):
                self._least_frames = self._fewest(as_video)
                return as_video
            faults.append("no pictures came out of the processor")
        raise ModelNotUsableError(
            f"The model's processor takes neither a video nor several pictures: {'; '.join(faults)}. Take another "
            f"model, or one whose processor this version of transformers knows."
        )

    def _fewest(self, as_video: bool) -> int:
        """Some video processors refuse a video of one frame: a still picture is shown to them twice."""
        try:
            self._encoded([np.full((32, 32, 3), 120, np.uint8)], [0.0], "?", as_video=as_video)
        except Exception:  # noqa: BLE001
            return 2
        return 1

    def _around_an_answer(self, end_ids: Sequence[int]) -> tuple[str, int]:
        """What the template writes between its last words and an answer, and the token with which an answer ends.

        A model ends its turn with the token that closed the turns of its training, such as <|im_end|>: often not the
        `eos_token` of its tokenizer. Where the template closes a turn with no special token, the model's own first
        end token is taken.
        """
        # With a picture: some processors have another template for words alone.
        question = _message("user", _pictures(1, self.as_video), "?")
        asked = self._rendered([question], add_generation_prompt=True)
        told = self._rendered([question, _message("assistant", [], _SAID)], add_generation_prompt=False)
        before, said, after = told.partition(_SAID)
        lead = before[len(asked) :] if said and before.startswith(asked) else ""
        special = {*self.tokenizer.all_special_ids, *self.tokenizer.added_tokens_decoder}
        closing = self._ids(after)
        if said and closing and closing[0] in special:
            return lead, closing[0]
        end = [*end_ids, self.tokenizer.eos_token_id]
        if end[0] is None:
            raise ModelNotUsableError(
                "The model names no token that ends an answer; put eos_token_id into its generation_config.json."
            )
        return lead, int(end[0])

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def _pictures(frame_count: int, as_video: bool) -> list[dict[str, Any]]:
    return [{"type": "video"}] if as_video else [{"type": "image"}] * frame_count


def _message(role: str, pictures: list[dict[str, Any]], text: str) -> dict[str, Any]:
    return {"role": role, "content": [*pictures, {"type": "text", "text": text}]}


def _metadata(pts_s: Sequence[float]) -> dict[str, Any]:
    """Of a video whose frames were chosen already: true stamps, and a rate of frames that follows from them."""
    spacing_s = (pts_s[-1] - pts_s[0]) / (len(pts_s) - 1) if pts_s[-1] > pts_s[0] else 1.0
    duration_s = max(spacing_s * len(pts_s), 1 / _TICKS)
    return {
        "fps": float(_TICKS),
        "total_num_frames": max(1, round(duration_s * _TICKS)),
        "duration": max(duration_s, pts_s[-1]),
        "frames_indices": [round(stamp * _TICKS) for stamp in pts_s],
    }


def _settle(tokenizer: Any) -> None:
    """No padding and no truncation from a file: calls that change them are not safe from several threads."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        backend.no_padding()
        backend.no_truncation()
