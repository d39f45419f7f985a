"""Scorers of a few thousand random weights: CLIP and SigLIP with tokenizers, VideoMAE, V-JEPA 2."""

from pathlib import Path
from typing import Any

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.resources.tiny_models import SIDE, tiny_siglip

WORDS = (
    *("a", "an", "the", "video", "is", "in", "on", "over", "emotion", "city", "dog", "hill", "man", "rain"),
    *("runs", "walks", "laughs", "falls", *EMOTION_NAMES, '"', "."),
)
LIMIT, END = 16, 99
"""Tokens that the tiny models take, with the two around a text; the one that ends it."""
FRAMES = 4


def tiny_text_clip(folder: Path, seed: int = 0) -> Path:
    import torch
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    torch.manual_seed(seed)
    ends = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": END}
    text = {**_layers(), "vocab_size": END + 1, "max_position_embeddings": LIMIT, **ends}
    vision = {**_layers(), "image_size": SIDE, "patch_size": 8}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)).save_pretrained(folder)
    CLIPImageProcessorPil(**_cut()).save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def tiny_text_siglip(folder: Path, seed: int = 0) -> Path:
    tiny_siglip(folder, seed)
    write_tokenizer(folder)
    return folder


def tiny_videomae(folder: Path, seed: int = 0) -> Path:
    import torch
    from transformers import VideoMAEConfig, VideoMAEImageProcessorPil, VideoMAEModel

    torch.manual_seed(seed)
    config = VideoMAEConfig(**_layers(), image_size=SIDE, patch_size=8, num_frames=FRAMES, tubelet_size=2)
    VideoMAEModel(config).save_pretrained(folder)
    VideoMAEImageProcessorPil(**_cut()).save_pretrained(folder)
    return folder


def tiny_vjepa2(folder: Path, seed: int = 0) -> Path:
    import torch
    from transformers import VJEPA2Config, VJEPA2Model, VJEPA2VideoProcessor

    torch.manual_seed(seed)
    layers = {name: value for name, value in _layers().items() if name != "intermediate_size"}
    predictor = {"pred_hidden_size": 16, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1}
    size = {"crop_size": SIDE, "patch_size": 8, "frames_per_clip": FRAMES, "tubelet_size": 2}
    VJEPA2Model(VJEPA2Config(**layers, **predictor, **size)).save_pretrained(folder)
    VJEPA2VideoProcessor(**_cut()).save_pretrained(folder)
    return folder


def _layers() -> dict[str, Any]:
    return {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def _cut() -> dict[str, Any]:
    return {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}


def write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    # As CLIP's: the token that ends a text has the highest number.
    special = ["<pad>", "<unk>", "<start>"]
    vocabulary = {word: number for number, word in enumerate([*special, *WORDS])} | {"<end>": END}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    around = [("<start>", vocabulary["<start>"]), ("<end>", vocabulary["<end>"])]
    tokenizer.post_processor = processors.TemplateProcessing(single="<start> $A <end>", special_tokens=around)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<start>",
        eos_token="<end>",
        model_max_length=LIMIT,
    ).save_pretrained(folder)
