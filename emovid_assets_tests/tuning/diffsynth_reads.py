"""What DiffSynth-Studio's own dataset makes of an export. Run by the Python of `.venv-diffsynth`, with nothing of ours.

    python diffsynth_reads.py OPTIONS.json RESULT.npz

Belongs here: calling it as its `train.py` does. Does not belong here: what should come out.
"""

import json
import sys

import numpy as np
import torch

# torchvision's wheel is made for CUDA and dies beside another torch, but for two operators that no transform needs.
_library = torch.library.Library("torchvision", "DEF")
_library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from diffsynth.core import UnifiedDataset  # noqa: E402


def number(options: dict[str, str], name: str) -> int | None:
    return int(options[name]) if name in options else None


def dataset_of(options: dict[str, str]) -> UnifiedDataset:
    """As its `train.py` makes it of the options of a command."""
    return UnifiedDataset(
        base_path=options["--dataset_base_path"],
        metadata_path=options["--dataset_metadata_path"],
        repeat=int(options["--dataset_repeat"]),
        data_file_keys=options["--data_file_keys"].split(","),
        main_data_operator=UnifiedDataset.default_video_operator(
            base_path=options["--dataset_base_path"],
            max_pixels=number(options, "--max_pixels"),
            height=number(options, "--height"),
            width=number(options, "--width"),
            num_frames=int(options["--num_frames"]),
        ),
    )


def main(options_path: str, result_path: str) -> None:
    with open(options_path, encoding="utf-8") as file:
        dataset = dataset_of(json.load(file))
    found = {}
    prompts = []
    for index in range(len(dataset)):
        item = dataset[index]
        prompts.append(item["prompt"])
        found[f"frames-{index}"] = np.stack([np.asarray(frame) for frame in item["video"]])
    np.savez(result_path, prompts=np.array(prompts), **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
