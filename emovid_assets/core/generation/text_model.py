"""Pictures and sentences in one space: CLIP, SigLIP and their kin.

Belongs here: loading such a model, directions of pictures and texts, how long a prompt is for it. Does not belong here:
which frames and which texts.

The cosine is the raw one, as the paper and EvalCrafter print it (0.2 to 0.3 for CLIP), not 2.5 or 100 times it as other
papers do. Pictures go through the model's own image processor; EvalCrafter hands over pixels of 0 to 255.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace
from emovid_assets.core.vision_tower import VisionTower, loaded, one_vector, picture_processor

SETTING = "generation.text_model"
VERSION = "1"
_PADDED_TO_THE_END = "siglip"
"""Was trained with every text padded to its limit, and gives other directions for shorter ones."""


class TextModel:
    """`prepare` may be called from several threads, all else from one."""

    def __init__(self, model: Any, processor: Any, tokenizer: Any, device: str) -> None:
        self.device = device
        self._model, self._tokenizer = model, tokenizer
        self._tower = VisionTower(model, processor, device)
        self.prepare = self._tower.prepare
        self.pictures = self._tower.embed
        config = model.config
        limit = getattr(getattr(config, "text_config", config), "max_position_embeddings", None)
        # Tokenizers that were saved without a limit say an astronomic one.
        self.token_limit = min(limit or tokenizer.model_max_length, tokenizer.model_max_length)
        self._padding: Any = "max_length" if str(config.model_type).startswith(_PADDED_TO_THE_END) else True

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (texts, dimensions), each of length 1. What is longer than the model's limit loses its end."""
        import torch

        given = self._tokenizer(
            list(texts), padding=self._padding, truncation=True, max_length=self.token_limit, return_tensors="pt"
        )
        asked = {name: given[name].to(self.device) for name in ("input_ids", "attention_mask") if name in given}
        with torch.inference_mode():
            features = one_vector(self._model.get_text_features(**asked)).float()
            features = torch.nn.functional.normalize(features, dim=-1)
        return np.asarray(features.cpu().numpy(), np.float32)

    def token_count(self, text: str) -> int:
        """Of the whole text, with the tokens that the model puts around it."""
        return len(self._tokenizer(text, verbose=False)["input_ids"])


@lru_cache(maxsize=1)
def load_text_model(place: ModelPlace, device: str) -> TextModel:
    """The model, loaded once and kept for the process. Raises ModelNotUsableError."""
    model, (processor, tokenizer), chosen = loaded(place, device, SETTING, _processors_of)
    if not (hasattr(model, "get_image_features") and hasattr(model, "get_text_features")):
        raise ModelNotUsableError(
            f"{SETTING} = '{place.model_id}': {type(model).__name__} has no features of both pictures and texts; name "
            f"a model of the kind of CLIP or SigLIP."
        )
    return TextModel(model, processor, tokenizer, chosen)


def _processors_of(*where: Any, **how: Any) -> tuple[Any, Any]:
    """Of pictures and of texts."""
    processor = picture_processor(*where, **how)
    from transformers import AutoTokenizer

    return processor, AutoTokenizer.from_pretrained(*where, **how)
