"""A LoRA by DiffSynth-Studio's own training on an export, around a random model of a few thousand parameters; and what
DiffSynth computes with it. Run by the Python of `.venv-diffsynth`, with nothing of ours.

    python diffsynth_trains.py OPTIONS.json FOLDER

Its dataset, units, loss, loop and writer are its own; only the models are small, but for the VAE, which cannot be.
Writes `dit.safetensors` (the model before), `epoch-*.safetensors` and `reference.safetensors`. Belongs here: that. Does
not belong here: what should come out.
"""

import json
import os
import sys
from typing import Any

# First: it declares what torchvision misses.
from diffsynth_reads import dataset_of

# isort: split
import torch
from accelerate import Accelerator
from diffsynth.diffusion import DiffusionTrainingModule, FlowMatchSFTLoss, ModelLogger, launch_training_task
from diffsynth.models.wan_video_dit import WanModel
from diffsynth.models.wan_video_text_encoder import HuggingfaceTokenizer, WanTextEncoder
from diffsynth.models.wan_video_vae import WanVideoVAE
from diffsynth.pipelines.wan_video import WanVideoPipeline, model_fn_wan_video
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SHAPE: dict[str, Any] = {
    "dim": 24,
    "in_dim": 16,
    "ffn_dim": 32,
    "out_dim": 16,
    "text_dim": 32,
    "freq_dim": 256,
    "eps": 1e-6,
    "patch_size": (1, 2, 2),
    "num_heads": 2,
    "num_layers": 2,
    "has_image_input": False,
}


class Training(DiffusionTrainingModule):
    def __init__(self, folder: str, options: dict[str, str]) -> None:
        super().__init__()
        self.pipe = pipe = WanVideoPipeline(device="cpu", torch_dtype=torch.float32)
        pipe.dit, pipe.vae = WanModel(**SHAPE), WanVideoVAE()
        pipe.text_encoder = WanTextEncoder(vocab=300, dim=32, dim_attn=32, dim_ffn=64, num_heads=4, num_layers=2).eval()
        tokenizer(f"{folder}/tokenizer")
        pipe.tokenizer = HuggingfaceTokenizer(f"{folder}/tokenizer", seq_len=16, clean="whitespace")
        save_file(pipe.dit.state_dict(), f"{folder}/dit.safetensors")
        self.switch_pipe_to_training_mode(
            pipe,
            lora_base_model=options["--lora_base_model"],
            lora_target_modules=options["--lora_target_modules"],
            lora_rank=4,
        )

    def forward(self, data: dict[str, Any], inputs: Any = None) -> Any:
        video = data["video"]
        shared: dict[str, Any] = {
            "input_video": video,
            "width": video[0].size[0],
            "height": video[0].size[1],
            "num_frames": len(video),
            "cfg_scale": 1,
            "tiled": False,
            "rand_device": "cpu",
            "use_gradient_checkpointing": False,
            "use_gradient_checkpointing_offload": False,
            "cfg_merge": False,
            "vace_scale": 1,
            "max_timestep_boundary": 1,
            "min_timestep_boundary": 0,
        }
        positive, negative = {"prompt": data["prompt"]}, {}
        for unit in self.pipe.units:
            shared, positive, negative = self.pipe.unit_runner(unit, self.pipe, shared, positive, negative)
        return FlowMatchSFTLoss(self.pipe, **shared, **positive)


def tokenizer(folder: str) -> None:
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator(
        ["The video is in the awe emotion", "a dog runs"],
        trainers.BpeTrainer(vocab_size=300, special_tokens=["<pad>", "</s>", "<unk>"]),
    )
    PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=64
    ).save_pretrained(folder)


def reference(folder: str, adapter: str) -> dict[str, torch.Tensor]:
    """What the model gives for one input, without and with the adapter."""
    torch.manual_seed(1)
    found = {"x": torch.randn(1, 16, 3, 4, 4), "text": torch.randn(1, 16, 32), "t": torch.tensor([500.0])}
    for name in ("base", "tuned"):
        pipe = WanVideoPipeline(device="cpu", torch_dtype=torch.float32)
        pipe.dit = WanModel(**SHAPE).eval()
        pipe.dit.load_state_dict(load_file(f"{folder}/dit.safetensors"))
        if name == "tuned":
            pipe.load_lora(pipe.dit, adapter, alpha=1.0)
        with torch.no_grad():
            found[name] = model_fn_wan_video(
                dit=pipe.dit, latents=found["x"], timestep=found["t"], context=found["text"]
            )
    return found


def main(options_path: str, folder: str) -> None:
    with open(options_path, encoding="utf-8") as file:
        options = json.load(file)
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(0)
    epochs = int(options["--num_epochs"])
    launch_training_task(
        Accelerator(cpu=True),
        dataset_of(options),
        Training(folder, options),
        ModelLogger(folder, remove_prefix_in_ckpt=options["--remove_prefix_in_ckpt"]),
        learning_rate=1e-2,
        num_workers=0,
        num_epochs=epochs,
    )
    save_file(reference(folder, f"{folder}/epoch-{epochs - 1}.safetensors"), f"{folder}/reference.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:])
