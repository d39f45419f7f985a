"""Wan 2.1 as a training sees it: what its samples hold, and what it is asked.

Belongs here: pipelines of Wan in diffusers, text to video and image to video. Does not belong here: how much noise
there is (`flow`), which layers learn (`lora`), files.

What the model is given beside the noisy latents is made by the pipeline's own code, so that a training sees what a run
will see.
"""

import inspect
from typing import Any

import numpy as np

from emovid_assets.core.model_place import ModelNotUsableError
from emovid_assets.core.tuning.flow import TIMES, Sample, Velocity

PIPELINES = {"t2v": "WanPipeline", "i2v": "WanImageToVideoPipeline"}
VERSION = "1"
"""Changes when the same clip would give another sample."""


def require_wan(pipeline: Any, task: str, model_id: str) -> None:
    """Raises ModelNotUsableError for what is no Wan 2.1 of the task."""
    found = type(pipeline).__name__
    if found != PIPELINES[task]:
        raise ModelNotUsableError(
            f"{model_id} is a {found}, and adapters for {task} are trained for {PIPELINES[task]} of Wan 2.1: name such "
            "a model, or take another trainer (docs/training.md)"
        )
    if getattr(pipeline, "transformer_2", None) is not None or pipeline.config.get("expand_timesteps"):
        raise ModelNotUsableError(
            f"{model_id} is a Wan 2.2, which has two experts or times of its own: adapters are trained for Wan 2.1"
        )


def encoded(
    pipeline: Any, task: str, frames: np.ndarray, prompt: str, *, prompt_tokens: int | None = None
) -> dict[str, Any]:
    """The sample of a clip: uint8 (frames, height, width, 3), 4k + 1 of them, sides multiples of 16; and its prompt,
    padded or cut to so many tokens, by default those that the pipeline takes.

    On the CPU: `latents` (1, channels, times, rows, columns), `text` (1, tokens, values); of image to video also
    `condition` (1, channels, times, rows, columns) and, where the model looks at pictures, `image` (1, places, values).
    """
    import torch
    from PIL import Image

    count, height, width = frames.shape[:3]
    device = pipeline.vae.device
    with torch.no_grad():
        video = torch.from_numpy(frames).permute(3, 0, 1, 2)[None].to(device, pipeline.vae.dtype) / 127.5 - 1
        text, _ = pipeline.encode_prompt(
            prompt,
            do_classifier_free_guidance=False,
            max_sequence_length=prompt_tokens or _tokens(pipeline),
            device=pipeline.text_encoder.device,
        )
        sample = {"latents": _latents(pipeline.vae, video), "text": text}
        if task == "i2v":
            picture = video[:, :, 0].float()
            _, condition = pipeline.prepare_latents(
                picture, 1, pipeline.vae.config.z_dim, height, width, count, torch.float32, device
            )
            sample["condition"] = condition
            if pipeline.transformer.config.image_dim is not None:
                sample["image"] = pipeline.encode_image(Image.fromarray(frames[0]), device)
    return {name: value.cpu().contiguous() for name, value in sample.items()}


def velocity_of(transformer: Any) -> Velocity:
    """What the model says of noisy latents, asked as the pipelines ask it."""
    import torch

    def velocity(sample: Sample, noisy: Any, sigmas: Any) -> Any:
        given = torch.cat([noisy, sample["condition"].to(noisy)], 1) if "condition" in sample else noisy
        dtype = transformer.dtype
        return transformer(
            hidden_states=given.to(dtype),
            timestep=sigmas * TIMES,
            encoder_hidden_states=sample["text"].to(dtype),
            encoder_hidden_states_image=sample["image"].to(dtype) if "image" in sample else None,
            return_dict=False,
        )[0]

    return velocity


def _tokens(pipeline: Any) -> int:
    """How many tokens a prompt becomes when the pipeline runs."""
    return int(inspect.signature(pipeline.__call__).parameters["max_sequence_length"].default)


def _latents(vae: Any, video: Any) -> Any:
    import torch

    def of_channels(values: Any) -> Any:
        return torch.tensor(values).view(1, -1, 1, 1, 1).to(latents)

    latents = vae.encode(video).latent_dist.mode().float()
    return (latents - of_channels(vae.config.latents_mean)) / of_channels(vae.config.latents_std)
