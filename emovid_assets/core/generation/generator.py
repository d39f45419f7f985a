"""A video pipeline of diffusers: loading it, asking it for a video, and saying what is wrong where that fails.

Belongs here: device, type of the weights, offloading, the arguments of a pipeline. Does not belong here: which videos
are wanted (`wanted`), where a model is (`model_place`), files of videos.
"""

import difflib
import gc
import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

from emovid_assets.core.generation.adapters import Adapter, add_adapters
from emovid_assets.core.generation.prompt_limits import cuts_told
from emovid_assets.core.model_place import ModelNotUsableError, ModelPlace
from emovid_assets.core.stand_ins import declare_torchvision_operators

NEEDED = ("diffusers", "accelerate", "ftfy")
"""What the extra `generation` installs. Pipelines of Wan clean prompts with ftfy, and some fail without it."""
_OWN = {
    "prompt": "the benchmark",
    "image": "the first frame",
    "generator": "`seeds`",
    "height": "`height_px`",
    "width": "`width_px`",
    "num_frames": "`frames`",
    "num_inference_steps": "`steps`",
    "guidance_scale": "`guidance`",
    "negative_prompt": "`negative_prompt`",
    "output_type": "the encoder",
    "return_dict": "the encoder",
    "callback_on_step_end": "the progress",
}
"""Arguments of pipelines that have a key or a meaning of their own, and which."""
Told = Callable[[int, int], None]
"""Called as (step, steps) while a video is made."""


@dataclass(frozen=True)
class Loading:
    """A pipeline as it is loaded. `device`: auto, cpu or cuda; `dtype`, `offload`: as in the settings."""

    place: ModelPlace
    adapters: Sequence[Adapter] = ()
    dtype: str = "auto"
    offload: str = "none"
    device: str = "auto"
    tiles: bool = False


@dataclass(frozen=True)
class Request:
    """One video. `first_frame`: uint8 (height, width, 3), null for a pipeline that takes none."""

    prompt: str
    random_seed: int
    width: int
    height: int
    frames: int
    steps: int
    guidance: float | None = None
    negative_prompt: str | None = None
    first_frame: np.ndarray | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class Generator:
    """A loaded pipeline."""

    def __init__(self, pipeline: Any, model_id: str, dtype: str) -> None:
        self._pipeline, self._model_id, self.dtype = pipeline, model_id, dtype
        self._takes = inspect.signature(pipeline.__call__).parameters

    @property
    def pipeline_class(self) -> str:
        return type(self._pipeline).__name__

    def make(self, request: Request, told: Told | None = None) -> np.ndarray:
        """The frames, float (frames, height, width, 3), 0 to 1 where they are numbers at all.

        Raises ModelNotUsableError where the pipeline does not take what it is given, and what the pipeline raises.
        """
        import torch
        from PIL import Image

        arguments: dict[str, Any] = {
            "prompt": request.prompt,
            "width": request.width,
            "height": request.height,
            "num_frames": request.frames,
            "num_inference_steps": request.steps,
            # On the CPU, whatever the device: its numbers are the same everywhere.
            "generator": torch.Generator("cpu").manual_seed(request.random_seed),
            "output_type": "np",
        }
        if request.guidance is not None:
            arguments["guidance_scale"] = request.guidance
        if request.negative_prompt is not None:
            arguments["negative_prompt"] = request.negative_prompt
        if request.first_frame is not None:
            arguments["image"] = Image.fromarray(request.first_frame)
        self._require_taken(arguments, request.options)
        if told is not None and "callback_on_step_end" in self._takes:
            arguments["callback_on_step_end"] = _telling(told, request.steps)
        return np.asarray(self._pipeline(**arguments, **request.options).frames)[0]

    def cuts_told(self, prompts: Iterable[str], options: Mapping[str, Any]) -> Iterator[str]:
        """As `prompt_limits.cuts_told`."""
        return cuts_told(self._pipeline, prompts, options)

    def _require_taken(self, arguments: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        name = f"{self._model_id} ({self.pipeline_class})"
        if "num_frames" not in self._takes or "prompt" not in self._takes:
            raise ModelNotUsableError(
                f"{name} makes no videos from prompts: take a text-to-video or image-to-video one"
            )
        if "image" in arguments and "image" not in self._takes:
            raise ModelNotUsableError(f'{name} takes no first frame: set task = "t2v", or take its image-to-video twin')
        if "image" not in arguments and self._needs("image"):
            raise ModelNotUsableError(f'{name} begins with a picture: set task = "i2v"')
        for option in options:
            if option in _OWN:
                raise ModelNotUsableError(f"options.{option} is set by {_OWN[option]}: take it out of `options`")
        for option in (*arguments, *options):
            if option not in self._takes:
                near = difflib.get_close_matches(option, self._takes, n=1)
                meant = f"; perhaps {near[0]} is meant" if near else ""
                raise ModelNotUsableError(f"{name} does not take {option}{meant}")

    def _needs(self, name: str) -> bool:
        return name in self._takes and self._takes[name].default is inspect.Parameter.empty

    def release(self) -> None:
        """Gives the memory back: two generators seldom fit beside each other."""
        import torch

        self._pipeline = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _telling(told: Told, steps: int) -> Callable[..., dict[str, Any]]:
    def at_step(pipeline: Any, step: int, time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        told(step + 1, steps)
        return {}

    return at_step


def load(loading: Loading) -> Generator:
    """The pipeline with its adapters. Raises ModelNotUsableError with a sentence that says what to do."""
    pipeline, dtype = load_pipeline(loading)
    return Generator(pipeline, loading.place.model_id, dtype)


def load_pipeline(loading: Loading) -> tuple[Any, str]:
    """The pipeline as diffusers has it, and the type of its weights; raises as `load` does."""
    require_installed()
    declare_torchvision_operators()
    import torch
    from diffusers import DiffusionPipeline
    from diffusers.utils.logging import CRITICAL, disable_progress_bar, set_verbosity
    from transformers.utils.logging import disable_progress_bar as disable_progress_bar_of_parts

    # Progress is told by videos and steps, in one place.
    disable_progress_bar()
    disable_progress_bar_of_parts()
    # What goes wrong is raised, and said in a sentence; adapters that do not fit in one naming are tried in another.
    set_verbosity(CRITICAL)
    device = device_of(loading.device, offload=loading.offload)
    dtype = loading.dtype
    if dtype == "auto":
        dtype = "bfloat16" if device == "cuda" else "float32"
    place = loading.place
    _require_whole(place)
    try:
        pipeline = DiffusionPipeline.from_pretrained(
            place.load_from,
            revision=place.revision if place.folder is None else None,
            local_files_only=place.folder is not None,
            dtype=_dtypes(place, getattr(torch, dtype)),
        )
        pipeline.set_progress_bar_config(disable=True)
        add_adapters(pipeline, loading.adapters)
        if loading.tiles:
            _decode_in_tiles(pipeline, place)
        if loading.offload == "model":
            pipeline.enable_model_cpu_offload()
        elif loading.offload == "sequential":
            pipeline.enable_sequential_cpu_offload()
        else:
            pipeline.to(device)
    except ModelNotUsableError:
        raise
    except torch.OutOfMemoryError as error:
        raise ModelNotUsableError(out_of_memory_told(place.model_id, loading.offload)) from error
    # diffusers, safetensors and the classes of a model raise whatever they like.
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelNotUsableError(
            f"{place.model_id} cannot be loaded by diffusers {version('diffusers')}: {first}"
        ) from error
    return pipeline, dtype


def _require_whole(place: ModelPlace) -> None:
    """Raises ModelNotUsableError where a folder lacks parts that its index names: diffusers names a file of one."""
    if place.folder is None:
        return
    try:
        index = json.loads((place.folder / "model_index.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelNotUsableError(f"{place.model_id}: model_index.json cannot be read: {error}") from error
    # A part is [library, class]; [null, null] is none.
    parts = [name for name, value in index.items() if isinstance(value, list) and name[0] != "_" and all(value)]
    if absent := [name for name in parts if not (place.folder / name).is_dir()]:
        raise ModelNotUsableError(
            f"{place.model_id} lacks {', '.join(absent)}, which its model_index.json names: fetch the folder whole"
        )


def require_installed() -> None:
    """Raises ModelNotUsableError where what runs generators is not there."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ModelNotUsableError(
            f"To run generators needs {', '.join(missing)}: pip install 'emovid-assets[generation]'. Videos that were "
            "made elsewhere are read without, from library/generated"
        )


def out_of_memory_told(model_id: str, offload: str) -> str:
    """What to do where memory runs out."""
    more = {"none": 'offload = "model" or "sequential"', "model": 'offload = "sequential"'}.get(offload)
    ways = [*([more] if more else []), "tiles = true", "fewer `frames`, a smaller picture, or a smaller model"]
    return f"{model_id} needs more memory than there is: try {'; '.join(ways)} (docs/generation.md has recipes)"


def versions_told() -> str:
    """Of what decides about pixels."""
    return ", ".join(f"{name} {version(name)}" for name in ("torch", "diffusers", "transformers"))


def device_of(asked: str, *, offload: str = "none", section: str = "generation") -> str:
    """cpu or cuda, by the key `device` of a section of the settings. Raises ModelNotUsableError where that is not to
    be had."""
    import torch

    is_cuda_there = torch.cuda.is_available()
    if asked == "cuda" and not is_cuda_there:
        raise ModelNotUsableError(f'{section}.device = "cuda": torch sees no GPU here. Take "auto" or "cpu"')
    device = "cuda" if is_cuda_there and asked != "cpu" else "cpu"
    if offload != "none" and device == "cpu":
        raise ModelNotUsableError(
            f'offload = "{offload}" moves parts of a model between GPU and CPU, and no GPU is used here: leave it out'
        )
    return device


def _dtypes(place: ModelPlace, dtype: Any) -> Any:
    """Wan's decoder is published in 32 bits and loses colours in fewer."""
    import torch
    from diffusers import DiffusionPipeline

    if dtype == torch.float32:
        return dtype
    config = DiffusionPipeline.load_config(place.load_from, revision=place.revision if place.folder is None else None)
    is_wan = str(config["_class_name"]).startswith("Wan")
    return {"default": dtype, "vae": torch.float32} if is_wan else dtype


def _decode_in_tiles(pipeline: Any, place: ModelPlace) -> None:
    decoder: Any = getattr(pipeline, "vae", None)
    if not hasattr(decoder, "enable_tiling"):
        raise ModelNotUsableError(f"{place.model_id} has no decoder that works in tiles: leave out `tiles`")
    decoder.enable_tiling()
