"""One vector of a whole video by a video encoder: VideoMAE, V-JEPA 2, ViViT and their kin, for distances between sets.

Belongs here: loading such a model, how many frames it takes, from frames to a vector. Does not belong here: which
frames those are (`score_video`), and distances.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace
from emovid_assets.core.vision_tower import loaded, one_vector, picture_processor

SETTING = "generation.video_model"
VERSION = "1"
_FRAME_COUNTS = ("num_frames", "frames_per_clip")
_INPUTS = ("pixel_values_videos", "pixel_values")
_VIDEO_PROCESSORS = "Video processors of transformers need torchvision: pip install torchvision"


class VideoEncoder:
    """`prepare` may be called from several threads, `encode` from one. It takes `frame_count` frames."""

    def __init__(self, model: Any, processor: Any, device: str, name: str) -> None:
        self.device = device
        self._model, self._processor = model, processor
        config = model.config
        count = next((getattr(config, one) for one in _FRAME_COUNTS if getattr(config, one, None)), None)
        if model.main_input_name not in _INPUTS or count is None:
            raise ModelNotUsableError(
                f"{SETTING} = '{name}': {type(model).__name__} does not say how many frames of a video it takes; name "
                f"a video encoder such as VideoMAE or V-JEPA 2."
            )
        self.frame_count = int(count)

    def prepare(self, frames: Sequence[np.ndarray]) -> Any:
        """Frames (uint8, height × width × 3, `frame_count` of them) as the model takes them: a tensor (frames, 3,
        height, width) on the CPU."""
        given = self._processor(frames)
        pixels = next((given[one] for one in _INPUTS if one in given), None)
        if pixels is None or pixels.ndim != 5 or pixels.shape[:2] != (1, len(frames)):
            raise ModelNotUsableError(
                f"{SETTING}: its processor does not give one picture a frame; name another model."
            )
        return pixels[0]

    def encode(self, prepared: Any) -> np.ndarray:
        """float32 (dimensions,) of a prepared video: the model's own pooling, else the mean over its tokens."""
        import torch

        with torch.inference_mode():
            pixels = prepared[None].to(self.device, next(self._model.parameters()).dtype)
            given = {self._model.main_input_name: pixels}
            # What V-JEPA 2 predicts of hidden places is no feature of the video, and costs as much again.
            skipped = {"skip_predictor": True} if self._model.config.model_type == "vjepa2" else {}
            features = one_vector(self._model(**given, **skipped)).float()[0]
        return np.asarray(features.cpu().numpy(), np.float32)


@lru_cache(maxsize=1)
def load_video_encoder(place: ModelPlace, device: str) -> VideoEncoder:
    """The model, loaded once and kept for the process. Raises ModelNotUsableError."""
    model, processor, chosen = loaded(place, device, SETTING, _processor_of)
    return VideoEncoder(model, processor, chosen, place.model_id)


def _processor_of(*where: Any, **how: Any) -> Any:
    """Frames of one video → the model's inputs. By an image processor where there is one: those need no torchvision."""
    try:
        pictures = picture_processor(*where, **how)
    except (OSError, ValueError):
        try:
            from transformers import AutoVideoProcessor

            videos = AutoVideoProcessor.from_pretrained(*where, **how)
        except ImportError as error:
            raise ValueError(_VIDEO_PROCESSORS) from error
        return lambda frames: videos(videos=[np.stack(frames)], do_sample_frames=False, return_tensors="pt")
    return lambda frames: pictures([list(frames)], input_data_format="channels_last", return_tensors="pt")
