"""Vision-language models of random weights in the shapes of published ones: nothing is downloaded.

Belongs here: shapes and what they cost in arithmetic. The tokenizer is a small one trained on the spot; the vocabulary
of the weights is the published size, so that the last layer costs what it costs.
"""

from collections.abc import Callable
from typing import Any

import torch

from emovid_assets.core.vlm.chat_model import ChatModel, Prepared
from emovid_assets_tests.resources.tiny_chat_models import CHATML, trained_tokenizer


def tiny() -> ChatModel:
    """Some 150 thousand weights: all that surrounds a model, and hardly any model."""
    return _smolvlm(
        {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2},
        {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4},
        vocabulary=1000,
        side=32,
        patch=8,
        scale=2,
    )


def smolvlm_256m() -> ChatModel:
    """HuggingFaceTB/SmolVLM2-256M-Video-Instruct: 93 million weights that see, 163 million that speak."""
    return _smolvlm(
        {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12},
        {
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "head_dim": 64,
        },
        vocabulary=49280,
        side=512,
        patch=16,
        scale=4,
    )


def qwen3_vl_2b() -> ChatModel:
    """Qwen/Qwen3-VL-2B-Instruct."""
    from transformers import (
        Qwen2VLImageProcessor,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    extra = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
    around = ["<|vision_start|>", "<|vision_end|>"]
    tokenizer = trained_tokenizer(extra, [*around, "<|im_start|>", "<|im_end|>"])
    ids = tokenizer.convert_tokens_to_ids
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": 151936,
            "hidden_size": 2048,
            "intermediate_size": 6144,
            "num_hidden_layers": 28,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "max_position_embeddings": 262144,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 5_000_000,
                "mrope_section": [24, 20, 20],
                "mrope_interleaved": True,
            },
            **_special(tokenizer),
        },
        vision_config={
            "depth": 24,
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_heads": 16,
            "out_hidden_size": 2048,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "deepstack_visual_indexes": [5, 11, 17],
            "num_position_embeddings": 2304,
        },
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=16),
        video_processor=Qwen3VLVideoProcessor(patch_size=16),
        tokenizer=tokenizer,
        # The published template writes the stamps and the marks of a video around this placeholder itself.
        chat_template=CHATML.replace("VIDEO", "<|video_pad|>").replace("IMAGE", "<|image_pad|>"),
    )
    return _made(Qwen3VLForConditionalGeneration, config, processor)


MODELS: dict[str, Callable[[], ChatModel]] = {
    "tiny": tiny,
    "smolvlm-256m": smolvlm_256m,
    "qwen3-vl-2b": qwen3_vl_2b,
}


def prefill_operations(model: ChatModel, prepared: Prepared) -> float:
    """Floating-point operations of one prompt: two per weight and token or patch, and four per pair that attends.

    Embeddings are looked up, not multiplied; the last layer works for one position. Pairs are counted without the half
    that a causal mask leaves out, as kernels without that saving would do them: the share is then a little generous,
    by less than 2 % at these lengths.
    """
    config, tokens = model.model.config, prepared.token_count
    text, vision = config.text_config, config.vision_config
    weights = {"vision": 0, "text": 0}
    for name, parameter in model.model.named_parameters():
        if parameter.ndim > 1 and "embed" not in name and "lm_head" not in name:
            weights["vision" if "visual" in name or "vision" in name else "text"] += parameter.numel()
    grids = prepared.inputs.get("video_grid_thw")
    if grids is None:
        patches = [(vision.image_size // vision.patch_size) ** 2] * len(prepared.pts_s)
        layers, width = vision.num_hidden_layers, vision.hidden_size
    else:
        patches = [int(height * width) for count, height, width in grids.tolist() for _ in range(count)]
        layers, width = vision.depth, vision.hidden_size
    seen = 2.0 * weights["vision"] * sum(patches) + 4.0 * layers * width * sum(one**2 for one in patches)
    heads = text.num_attention_heads * getattr(text, "head_dim", text.hidden_size // text.num_attention_heads)
    return seen + 2.0 * weights["text"] * tokens + 4.0 * text.num_hidden_layers * heads * tokens**2


def matmul_rate(device: str, dtype: torch.dtype) -> float:
    """Operations per second of a large matrix product: what this machine can do at most, measured."""
    import time

    side = 8192 if device == "cuda" else 2048
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    rates = []
    for _ in range(5):
        _wait(device)
        start = time.perf_counter()
        for _ in range(4):
            left @ right
        _wait(device)
        rates.append(4 * 2 * side**3 / (time.perf_counter() - start))
    return max(rates)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _smolvlm(
    vision: dict[str, int], text: dict[str, int], *, vocabulary: int, side: int, patch: int, scale: int
) -> ChatModel:
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    extra = {
        "image_token": "<image>",
        "fake_image_token": "<fake_token_around_image>",
        "end_of_utterance_token": "<end_of_utterance>",
        "global_image_token": "<global-img>",
    }
    tokenizer = trained_tokenizer(extra, ["<|im_start|>"])
    config = SmolVLMConfig(
        vision_config={**vision, "image_size": side, "patch_size": patch},
        text_config={
            "model_type": "llama",
            "vocab_size": vocabulary,
            "max_position_embeddings": 8192,
            **text,
            **_special(tokenizer),
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=scale,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    size = {"size": {"longest_edge": side}, "max_image_size": {"longest_edge": side}}
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(do_image_splitting=False, **size),
        video_processor=SmolVLMVideoProcessor(
            **size, video_sampling={"fps": 1, "max_frames": 64, "video_size": {"longest_edge": side}}
        ),
        tokenizer=tokenizer,
        image_seq_len=(side // patch // scale) ** 2,
        chat_template=CHATML.replace("VIDEO", "<video>").replace("IMAGE", "<image>"),
    )
    return _made(SmolVLMForConditionalGeneration, config, processor)


def _special(tokenizer: Any) -> dict[str, int]:
    return {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("pad", "bos", "eos")}


def _made(model: Any, config: Any, processor: Any) -> ChatModel:
    """On the GPU in bfloat16 where there is one, else in float32."""
    is_cuda = torch.cuda.is_available()
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16 if is_cuda else torch.float32)
    torch.manual_seed(0)
    try:
        with torch.device("cuda" if is_cuda else "cpu"):
            made = model(config).eval()
    finally:
        torch.set_default_dtype(before)
    return ChatModel(made, processor)
