"""A Wan of random weights that can be taught: its encoder tells colours apart, and its denoiser hears single words.

Belongs here: what makes a tiny random model teachable, each with its reason. Does not belong here: teaching it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

HEADS, HEAD_WIDTH = 4, 16
"""Together as wide as a patch of its latents has values: a narrower one cannot say what it has learnt."""
LOUDER = 3.0


def build_seeing(folder: Path, films: Iterable[np.ndarray], seed: int = 3) -> Path:
    """Saves the pipeline; `films`: uint8 (frames, height, width, 3), by which its latents are scaled."""
    import diffusers as d
    import torch
    import transformers as t

    from emovid_assets_tests.generation.tiny_generators import WIDTH, _t5, tiny_tokenizer

    torch.manual_seed(seed)
    vae: Any = d.AutoencoderKLWan(
        base_dim=8, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    transformer = d.WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=HEADS,
        attention_head_dim=HEAD_WIDTH,
        in_channels=16,
        out_channels=16,
        text_dim=WIDTH,
        freq_dim=256,
        ffn_dim=2 * HEADS * HEAD_WIDTH,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )
    with torch.no_grad():
        for name, weight in vae.named_parameters():
            if name.endswith("weight"):
                # Else biases drown the picture.
                weight.mul_(LOUDER)
        for name, weight in transformer.named_parameters():
            # Else one word among many is lost in the mean over all of them.
            if any(part in name for part in ("attn2.norm_q.weight", "attn2.to_v.weight", "attn2.to_out.0.weight")):
                weight.mul_(LOUDER)
        videos = [torch.from_numpy(film).permute(3, 0, 1, 2)[None] / 127.5 - 1 for film in films]
        latents = torch.cat([vae.encode(video).latent_dist.mode() for video in videos])
    # As the published ones are of the published encoder.
    places = (0, 2, 3, 4)
    vae.register_to_config(latents_mean=latents.mean(places).tolist(), latents_std=latents.std(places).tolist())
    _teach_to_show(vae, torch.cat(videos), latents)
    d.WanPipeline(
        tokenizer=tiny_tokenizer(),
        text_encoder=_t5(t.UMT5EncoderModel, t.UMT5Config),
        vae=vae,
        transformer=transformer,
        scheduler=d.UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
    ).save_pretrained(folder)
    return folder


def _teach_to_show(vae: Any, videos: Any, latents: Any, steps: int = 60) -> None:
    """Teaches the decoder to show the films by their latents, with some noise: one of random weights shows next to
    nothing of what it is given."""
    import torch

    for name, parameter in vae.named_parameters():
        parameter.requires_grad_(name.startswith(("decoder", "post_quant")))
    optimiser = torch.optim.AdamW([one for one in vae.parameters() if one.requires_grad], lr=3e-3)
    spread, numbers = latents.std((0, 2, 3, 4), keepdim=True), torch.Generator().manual_seed(0)
    for _ in range(steps):
        some = torch.randint(len(videos), (8,), generator=numbers)
        noise = torch.randn(latents[some].shape, generator=numbers) * spread
        shown = vae.decode(latents[some] + 0.5 * noise).sample
        torch.nn.functional.mse_loss(shown, videos[some]).backward()
        optimiser.step()
        optimiser.zero_grad()
    vae.requires_grad_(False)
