"""Vision models of a few thousand random weights, made on the spot and saved as transformers saves real ones."""

from pathlib import Path
from typing import Any

from emovid_assets.core.stand_ins import declare_torchvision_operators

declare_torchvision_operators()

SIDE, DIMENSION = 32, 24


def tiny_clip(folder: Path, seed: int = 0) -> Path:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    size = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
    config = CLIPConfig(text_config=_text(), vision_config=_vision(), projection_dim=DIMENSION)
    return _saved(folder, CLIPModel, config, CLIPImageProcessorPil(**size), seed)


def tiny_siglip(folder: Path, seed: int = 0) -> Path:
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    config = SiglipConfig(text_config=_text(), vision_config=_vision())
    return _saved(folder, SiglipModel, config, SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE}), seed)


def tiny_vit(folder: Path, seed: int = 0) -> Path:
    from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

    processor = ViTImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return _saved(folder, ViTModel, ViTConfig(**_vision()), processor, seed)


def tiny_llava(folder: Path, seed: int = 0) -> Path:
    """A VLM: its vision part is a CLIP encoder."""
    from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration

    size = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
    config = LlavaConfig(
        vision_config={"model_type": "clip_vision_model", **_vision()},
        text_config={"model_type": "llama", **_text(), "num_key_value_heads": 2},
        image_token_index=99,
    )
    return _saved(folder, LlavaForConditionalGeneration, config, CLIPImageProcessorPil(**size), seed)


def tiny_language_model(folder: Path) -> Path:
    """A model without eyes."""
    from transformers import LlamaConfig, LlamaModel, ViTImageProcessorPil

    return _saved(folder, LlamaModel, LlamaConfig(**_text()), ViTImageProcessorPil(), 0)


def _vision() -> dict[str, Any]:
    return {**_layers(), "image_size": SIDE, "patch_size": 8}


def _text() -> dict[str, Any]:
    return {**_layers(), "vocab_size": 100, "max_position_embeddings": 16}


def _layers() -> dict[str, Any]:
    return {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def _saved(folder: Path, model: Any, config: Any, processor: Any, seed: int) -> Path:
    import torch

    torch.manual_seed(seed)
    model(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
