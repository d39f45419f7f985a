"""Embeddings of frames by a vision model: CLIP and its kin, plain vision encoders, the vision part of a VLM.

Belongs here: loading by transformers' Auto classes from a folder or the hub, from frames to vectors. Does not
belong here: where a model is (`model_place`), which clips, reading frames (`video.sampled`), keeping results. No code
of a model's repository is ever run.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace
from emovid_assets.core.stand_ins import declare_torchvision_operators

_TOWERS = ("vision_tower", "vision_model", "vision_encoder")


class VisionTower:
    """A loaded model. `prepare` may be called from several threads, `embed` from one."""

    def __init__(self, model: Any, processor: Any, device: str) -> None:
        self._model, self._processor, self.device = model, processor, device
        self._encode = _encoder_of(model)

    def prepare(self, frame: np.ndarray) -> Any:
        """The frame (uint8, height × width × 3) as the model takes it: a tensor (3, height, width) on the CPU."""
        pixels = self._processor(images=[frame], input_data_format="channels_last", return_tensors="pt").get(
            "pixel_values"
        )
        if pixels is None or pixels.ndim != 4 or len(pixels) != 1:
            raise ModelNotUsableError(
                "The model's image processor cuts pictures into several pieces; save its vision encoder alone, with a "
                "processor that gives one picture of a fixed size, and name that folder."
            )
        return pixels[0]

    def embed(self, frames: Sequence[Any]) -> np.ndarray:
        """float32 (frames, dimensions) of prepared frames, each of length 1."""
        import torch

        with torch.inference_mode():
            pixels = torch.stack(list(frames)).to(self.device, next(self._model.parameters()).dtype)
            features = self._encode(pixels).float()
            features = torch.nn.functional.normalize(features, dim=-1)
        return np.asarray(features.cpu().numpy(), np.float32)


def pooled(frames: np.ndarray) -> np.ndarray:
    """The embedding of a clip, float32 (dimensions,): the mean of its frames' directions, of length 1."""
    mean = np.asarray(frames, np.float64).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return (mean / length if length > 0 else mean).astype(np.float32)


@lru_cache(maxsize=1)
def load_tower(place: ModelPlace, device: str) -> VisionTower:
    """The model, loaded once and kept for the process. `device`: cpu, cuda, or auto. Raises ModelNotUsableError."""
    return VisionTower(*loaded(place, device, "embeddings.model", picture_processor))


def picture_processor(*where: Any, **how: Any) -> Any:
    """The model's image processor."""
    declare_torchvision_operators()
    from transformers import AutoImageProcessor

    # Pillow's processors are always there, and give the same pixels with and without torchvision.
    return AutoImageProcessor.from_pretrained(*where, backend="pil", **how)


def loaded(place: ModelPlace, device: str, setting: str, processor_of: Callable[..., Any]) -> tuple[Any, Any, str]:
    """(model, processor, device) by transformers' Auto classes. `setting` is the key that named the model, for
    messages; `processor_of` is called as a class's `from_pretrained`. Raises ModelNotUsableError."""
    import torch

    declare_torchvision_operators()
    from transformers import AutoModel
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    chosen = chosen_device(device, f"{setting.partition('.')[0]}.device")
    revision = place.revision if place.folder is None else None
    try:
        processor = processor_of(place.load_from, revision=revision)
        model = AutoModel.from_pretrained(
            place.load_from, revision=revision, dtype="auto" if chosen == "cuda" else torch.float32
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelNotUsableError(
            f"{setting} = '{place.model_id}' cannot be loaded by transformers: {str(error).splitlines()[0]}"
        ) from error
    return model.eval().to(chosen), processor, chosen


def chosen_device(device: str, setting: str) -> str:
    """cpu or cuda. Raises ModelNotUsableError where a GPU is asked for and there is none."""
    import torch

    is_cuda_there = torch.cuda.is_available()
    if device == "cuda" and not is_cuda_there:
        raise ModelNotUsableError(f'{setting} = "cuda": torch sees no GPU here. Take "auto" or "cpu".')
    return "cuda" if is_cuda_there and device != "cpu" else "cpu"


def _encoder_of(model: Any) -> Any:
    """pixel values → features (frames, dimensions)."""
    # Both kinds of features: pictures and texts share a space, and the features are one vector a picture.
    if hasattr(model, "get_image_features") and hasattr(model, "get_text_features"):
        return lambda pixels: one_vector(model.get_image_features(pixel_values=pixels))
    towers = (getattr(model, name, None) for name in _TOWERS)
    tower = next((found for found in towers if found is not None), None)
    if tower is None and getattr(model, "main_input_name", None) == "pixel_values":
        tower = model
    if tower is None:
        raise ModelNotUsableError(
            f"{type(model).__name__} has no vision part that takes plain pictures; name a CLIP-like model, a vision "
            f"encoder, or a VLM with one ({', '.join(_TOWERS)})."
        )
    return lambda pixels: one_vector(tower(pixel_values=pixels))


def one_vector(output: Any) -> Any:
    """(inputs, dimensions) of a model's output: the model's own pooling where it has one, else the mean over places."""
    features = output if hasattr(output, "ndim") else getattr(output, "pooler_output", None)
    if features is None:
        hidden = output.last_hidden_state
        # Transformers give (frames, places, channels), convolutions (frames, channels, height, width).
        features = hidden.mean(dim=1) if hidden.ndim == 3 else hidden.flatten(2).mean(dim=2)
    return features.flatten(1)
