"""Video generators of a few thousand random weights, of the classes of the real ones, saved as diffusers saves those.

Belongs here: the pipelines of the paper's Table 3 that diffusers has, a LoRA adapter for any of them, and a CLIP with
text, pictures and tokenizer to score what they make. All of them run with the pipelines' own defaults: prompts reach
the models through templates and lengths of the published ones. Does not belong here: running them in a test.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as t

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.stand_ins import declare_torchvision_operators

declare_torchvision_operators()
# Helper threads have nothing to do in models of this size, and on a busy machine they wait for each other for seconds.
torch.set_num_threads(1)

# After the operators are declared: diffusers imports torchvision where it is installed.
import diffusers as d  # noqa: E402
from diffusers.pipelines.hunyuan_video import (  # noqa: E402
    pipeline_hunyuan_video,
    pipeline_hunyuan_video_image2video,
)

SIDE = 32
"""Width and height, in pixels, at which they are quick; multiples of 16 work."""
FRAMES = 9
"""A number of frames that every family makes as asked, but for HunyuanVideo from a first frame: of 9 it makes 5."""
WIDTH, VOCABULARY = 32, 600
HEADERS = ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<image>"]


def build(name: str, folder: Path, seed: int = 0) -> Path:
    """Saves the pipeline, or `clip`, of a name in `BUILDERS` with random weights of a seed; returns the folder."""
    torch.manual_seed(seed)
    made = BUILDERS[name]()
    for part in made:
        part.save_pretrained(folder)
    return folder


def tiny_adapter(pipeline: Path, file: Path, seed: int = 0, strength: float = 0.5) -> Path:
    """Saves a LoRA of rank 4 on the attention of the pipeline in a folder, with random weights that change its videos,
    as a safetensors file in the key names of diffusers."""
    from peft import LoraConfig, get_peft_model_state_dict
    from safetensors.torch import save_file

    transformer: Any = d.AutoModel.from_pretrained(str(pipeline / "transformer"))
    transformer.add_adapter(LoraConfig(r=4, lora_alpha=4, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    generator = torch.Generator().manual_seed(seed)
    state = {
        f"transformer.{key}": torch.randn(value.shape, generator=generator) * strength
        for key, value in get_peft_model_state_dict(transformer).items()
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, file)
    return file


def tiny_tokenizer(*special: str) -> Any:
    """Words of templates and of the sentence of emotions are a token each; all else is made of its letters."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    text = [
        pipeline_hunyuan_video.DEFAULT_PROMPT_TEMPLATE["template"],
        pipeline_hunyuan_video_image2video.DEFAULT_PROMPT_TEMPLATE["template"],
        *(f"The video is in the {emotion} emotion" for emotion in EMOTION_NAMES),
    ]
    tokenizer.train_from_iterator(
        text,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY - len(special),
            special_tokens=["<pad>", "</s>", "<unk>"],
            initial_alphabet=[chr(code) for code in range(33, 127)],
            show_progress=False,
        ),
    )
    made = t.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
    if special:
        made.add_special_tokens({"additional_special_tokens": list(special)})
    return made


def _language_model() -> dict[str, Any]:
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
    }


def _t5(model: Any, config: Any) -> Any:
    return model(config(vocab_size=VOCABULARY, d_model=WIDTH, d_kv=8, d_ff=64, num_layers=2, num_heads=4)).eval()


def _wan(pipeline: Any, channels: int, more: dict[str, Any], **parts: Any) -> tuple[Any]:
    def transformer() -> Any:
        return d.WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=channels,
            out_channels=16,
            text_dim=WIDTH,
            freq_dim=256,
            ffn_dim=32,
            num_layers=2,
            cross_attn_norm=True,
            qk_norm="rms_norm_across_heads",
            rope_max_seq_len=32,
            **more,
        )

    if "boundary_ratio" in parts:
        parts["transformer_2"] = transformer()
    vae = d.AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    scheduler = d.UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    text_encoder = _t5(t.UMT5EncoderModel, t.UMT5Config)
    return (
        pipeline(
            tokenizer=tiny_tokenizer(),
            text_encoder=text_encoder,
            vae=vae,
            transformer=transformer(),
            scheduler=scheduler,
            **parts,
        ),
    )


def _wan_t2v() -> tuple[Any]:
    return _wan(d.WanPipeline, 16, {})


def _wan_i2v() -> tuple[Any]:
    """Wan2.1: features of the first frame go into keys and values of their own."""
    encoder = t.CLIPVisionModel(
        t.CLIPVisionConfig(
            hidden_size=4,
            projection_dim=4,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=32,
            patch_size=16,
        )
    )
    return _wan(
        d.WanImageToVideoPipeline,
        36,
        {"image_dim": 4, "added_kv_proj_dim": 24},
        image_encoder=encoder.eval(),
        image_processor=_pictures(32),
    )


def _wan22_i2v() -> tuple[Any]:
    """Wan2.2: two experts and no encoder of pictures."""
    return _wan(d.WanImageToVideoPipeline, 36, {}, image_encoder=None, image_processor=None, boundary_ratio=0.9)


def _cogvideox(pipeline: Any, channels: int) -> tuple[Any]:
    transformer = d.CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=channels,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=WIDTH,
        num_layers=1,
        sample_width=4,
        sample_height=4,
        sample_frames=9,
        patch_size=2,
        temporal_compression_ratio=4,
        max_text_seq_length=226,
        use_rotary_positional_embeddings=True,
    )
    vae = d.AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8,) * 4,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )
    return (
        pipeline(
            tokenizer=tiny_tokenizer(),
            text_encoder=_t5(t.T5EncoderModel, t.T5Config),
            vae=vae,
            transformer=transformer,
            scheduler=d.CogVideoXDDIMScheduler(),
        ),
    )


def _cogvideox_t2v() -> tuple[Any]:
    return _cogvideox(d.CogVideoXPipeline, 4)


def _cogvideox_i2v() -> tuple[Any]:
    return _cogvideox(d.CogVideoXImageToVideoPipeline, 8)


def _hunyuan(channels: int, **more: Any) -> dict[str, Any]:
    transformer = d.HunyuanVideoTransformer3DModel(
        in_channels=channels,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=10,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        patch_size=1,
        patch_size_t=1,
        text_embed_dim=16,
        pooled_projection_dim=8,
        rope_axes_dim=(2, 4, 4),
        **more,
    )
    vae = d.AutoencoderKLHunyuanVideo(
        latent_channels=4,
        down_block_types=("HunyuanVideoDownBlock3D",) * 4,
        up_block_types=("HunyuanVideoUpBlock3D",) * 4,
        block_out_channels=(8,) * 4,
        layers_per_block=1,
        norm_num_groups=4,
    )
    return {
        "transformer": transformer,
        "vae": vae,
        "text_encoder_2": t.CLIPTextModel(_clip_text(8)).eval(),
        "tokenizer_2": tiny_tokenizer(),
        "tokenizer": tiny_tokenizer(*HEADERS),
        "scheduler": d.FlowMatchEulerDiscreteScheduler(shift=7.0),
    }


def _hunyuan_t2v() -> tuple[Any]:
    encoder = t.LlamaModel(t.LlamaConfig(**_language_model())).eval()
    return (d.HunyuanVideoPipeline(text_encoder=encoder, **_hunyuan(4, guidance_embeds=True)),)


def _hunyuan_i2v() -> tuple[Any]:
    parts = _hunyuan(4 * 2 + 1, guidance_embeds=False, image_condition_type="latent_concat")
    vision = {
        "model_type": "clip_vision_model",
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        # The pipeline counts on the 24 × 24 pieces of the published encoder.
        "image_size": 336,
        "patch_size": 14,
    }
    config = t.LlavaConfig(
        text_config={"model_type": "llama", **_language_model()},
        vision_config=vision,
        image_token_index=parts["tokenizer"].convert_tokens_to_ids("<image>"),
        pad_token_id=0,
    )
    encoder = t.LlavaForConditionalGeneration(config).eval()
    return (d.HunyuanVideoImageToVideoPipeline(text_encoder=encoder, image_processor=_pictures(336), **parts),)


def _clip() -> tuple[Any, ...]:
    """A model that puts texts and pictures into one space, with all that a scorer asks of it."""
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    config = t.CLIPConfig(text_config=_clip_text(32).to_dict(), vision_config=vision, projection_dim=24)
    tokenizer = tiny_tokenizer()
    tokenizer.model_max_length = 77
    return t.CLIPModel(config).eval(), _pictures(32), tokenizer


def _clip_text(width: int) -> Any:
    return t.CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        projection_dim=width,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=0,
    )


def _pictures(side: int) -> Any:
    return t.CLIPImageProcessorPil(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}, do_center_crop=True
    )


BUILDERS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "wan_t2v": _wan_t2v,
    "wan_i2v": _wan_i2v,
    "wan22_i2v": _wan22_i2v,
    "cogvideox_t2v": _cogvideox_t2v,
    "cogvideox_i2v": _cogvideox_i2v,
    "hunyuan_t2v": _hunyuan_t2v,
    "hunyuan_i2v": _hunyuan_i2v,
    "clip": _clip,
}
