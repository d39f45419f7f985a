"""Vision-language models of some ten thousand random weights, saved as transformers saves real ones.

Classes that differ in what matters: LLaVA-OneVision (plain positions, frames of one size), Qwen2.5-VL (positions in
three axes that follow time, any number of patches), SmolVLM (frames as pictures with stamps between them), Gemma 3 (no
videos, layers that see a window only). The chat templates are those of the published models, shortened.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.stand_ins import declare_torchvision_operators

declare_torchvision_operators()
# Helper threads have nothing to do in models of this size, and on a busy machine they wait for each other for seconds.
torch.set_num_threads(1)

SIDE, PATCH = 28, 14
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% for c in m['content'] %}{% if c['type'] == 'video' %}VIDEO{% elif c['type'] == 'image' %}IMAGE"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_llava_onevision(folder: Path, seed: int = 0) -> Path:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessor,
        LlavaOnevisionProcessor,
        LlavaOnevisionVideoProcessor,
        Qwen2Config,
        SiglipVisionConfig,
    )

    tokenizer = trained_tokenizer({"image_token": "<image>", "video_token": "<video>"}, ["<|im_start|>", "<|im_end|>"])
    config = LlavaOnevisionConfig(
        vision_config=SiglipVisionConfig(**_layers(32), image_size=SIDE, patch_size=PATCH, vision_use_head=False),
        text_config=Qwen2Config(**_text(tokenizer), tie_word_embeddings=False),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        vision_feature_layer=-1,
        image_grid_pinpoints=[[SIDE, SIDE]],
        tie_word_embeddings=False,
    )
    size = {"height": SIDE, "width": SIDE}
    processor = LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=[[SIDE, SIDE]]),
        video_processor=LlavaOnevisionVideoProcessor(size=size),
        tokenizer=tokenizer,
        num_image_tokens=(SIDE // PATCH) ** 2,
        vision_feature_select_strategy="full",
        chat_template=CHATML.replace("VIDEO", "<video>\n").replace("IMAGE", "<image>\n"),
    )
    return _saved(folder, LlavaOnevisionForConditionalGeneration, config, processor, seed)


def tiny_qwen25_vl(folder: Path, seed: int = 0) -> Path:
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    extra = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
    around = ["<|vision_start|>", "<|vision_end|>"]
    tokenizer = trained_tokenizer(extra, [*around, "<|im_start|>", "<|im_end|>"])
    ids = tokenizer.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    config = Qwen2_5_VLConfig(
        text_config={**_text(tokenizer), "rope_parameters": rope},
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "patch_size": PATCH,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "fullatt_block_indexes": [1],
            "window_size": 56,
        },
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 56 * 56 * 8}
    picture = "<|vision_start|><|{}_pad|><|vision_end|>"
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        video_processor=Qwen2VLVideoProcessor(size=size),
        tokenizer=tokenizer,
        chat_template=CHATML.replace("VIDEO", picture.format("video")).replace("IMAGE", picture.format("image")),
    )
    return _saved(folder, Qwen2_5_VLForConditionalGeneration, config, processor, seed)


def tiny_smolvlm(folder: Path, seed: int = 0) -> Path:
    """Its processor brings the chat template of videos along."""
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    side = 32
    extra = {
        "image_token": "<image>",
        "fake_image_token": "<fake_token_around_image>",
        "end_of_utterance_token": "<end_of_utterance>",
        "global_image_token": "<global-img>",
    }
    tokenizer = trained_tokenizer(extra, ["<|im_start|>"])
    config = SmolVLMConfig(
        vision_config={**_layers(32), "image_size": side, "patch_size": 8},
        text_config={"model_type": "llama", **_text(tokenizer)},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    size = {"size": {"longest_edge": side}, "max_image_size": {"longest_edge": side}}
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(do_image_splitting=False, **size),
        video_processor=SmolVLMVideoProcessor(
            **size, video_sampling={"fps": 1, "max_frames": 8, "video_size": {"longest_edge": side}}
        ),
        tokenizer=tokenizer,
        image_seq_len=4,
        chat_template=CHATML.replace("VIDEO", "<video>").replace("IMAGE", "<image>"),
    )
    return _saved(folder, SmolVLMForConditionalGeneration, config, processor, seed)


def tiny_gemma3(folder: Path, seed: int = 0) -> Path:
    """Takes pictures only; every other layer sees the last eight tokens."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3ImageProcessor, Gemma3Processor

    extra = {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}
    tokenizer = trained_tokenizer(extra, ["<start_of_turn>", "<end_of_turn>"])
    ids = tokenizer.convert_tokens_to_ids
    config = Gemma3Config(
        text_config={
            **_text(tokenizer),
            "head_dim": 16,
            "sliding_window": 8,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        vision_config={**_layers(32), "image_size": SIDE, "patch_size": PATCH, "vision_use_head": False},
        mm_tokens_per_image=4,
        image_token_index=ids("<image_soft_token>"),
        boi_token_index=ids("<start_of_image>"),
        eoi_token_index=ids("<end_of_image>"),
    )
    template = (
        "{{ bos_token }}{% for m in messages %}<start_of_turn>"
        "{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n{% for c in m['content'] %}"
        "{% if c['type'] == 'image' %}<start_of_image>{% else %}{{ c['text'] | trim }}{% endif %}{% endfor %}"
        "<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
    )
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": SIDE, "width": SIDE}),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=template,
    )
    return _saved(folder, Gemma3ForConditionalGeneration, config, processor, seed)


TINY_CHAT_MODELS = {
    "llava_onevision": tiny_llava_onevision,
    "qwen25_vl": tiny_qwen25_vl,
    "smolvlm": tiny_smolvlm,
    "gemma3": tiny_gemma3,
}


def trained_tokenizer(named: dict[str, str], unnamed: Sequence[str]) -> Any:
    """Trained on the spot: labels fall into several pieces, so that answers differ in length."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    text = [
        *EMOTION_NAMES,
        "user assistant system",
        "the video shows a person who feels",
        "which emotion does it evoke",
    ]
    special = ["<pad>", "<s>", "</s>", *named.values(), *unnamed]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    # So few words that the longer labels stay in pieces.
    trainer = trainers.BpeTrainer(
        vocab_size=len(special) + len(alphabet) + 60, special_tokens=special, initial_alphabet=alphabet
    )
    plain.train_from_iterator(text * 4, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=plain,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        padding_side="left",
        extra_special_tokens=named,
        model_max_length=4096,
    )


def _layers(width: int) -> dict[str, Any]:
    return {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": width // 16,
    }


def _text(tokenizer: Any) -> dict[str, Any]:
    return {
        **_layers(64),
        "vocab_size": len(tokenizer),
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def _saved(folder: Path, model: Any, config: Any, processor: Any, seed: int) -> Path:
    torch.manual_seed(seed)
    model(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
