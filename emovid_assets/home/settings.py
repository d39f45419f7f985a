"""The settings file of a home: every value that a user may change, with its default and meaning.

Belongs here: names, defaults, limits and meanings of settings, and reading the file. Does not belong here: which asset
reads which setting (`settings_groups`, and the assets), and what is done with a value.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

SETTINGS_FILE = "emovid.toml"
LEAST_MEMORY_MB = 512
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Of what becomes the name of a folder."""


class SettingsError(ValueError):
    """The settings file cannot be used; the message names the key and says what is allowed."""


class UndeclaredSettingError(RuntimeError):
    """A setting was read that the reader has not declared; the message names both, and what to do."""


class _Section(BaseModel):
    # A misspelt key must be an error, not a setting that silently does nothing.
    model_config = ConfigDict(extra="forbid", frozen=True)

    _withheld: Mapping[str, str] = PrivateAttr(default_factory=dict)

    def without(self, withheld: Mapping[str, str]) -> Self:
        """A copy in which some keys have no value; who reads one gets an UndeclaredSettingError that says this."""
        copied = self.model_copy()
        for name in withheld:
            del copied.__dict__[name]
        copied._withheld = withheld
        return copied

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Python asks here only for what is not there.
            if not name.startswith("_") and name in self._withheld:
                raise UndeclaredSettingError(self._withheld[name])
            return super().__getattr__(name)

    def model_dump(self, *, exclude: Any = None, **options: Any) -> dict[str, Any]:
        """As pydantic's, but raises UndeclaredSettingError where a part would pass for the whole."""
        for name in type(self).model_fields:
            value = None if name in (exclude or ()) else getattr(self, name)
            if isinstance(value, _Section):
                value.model_dump()
        return super().model_dump(exclude=exclude, **options)

    def digest(self) -> str:
        """16 hex digits that change with any value: part of every item's key."""
        return hashlib.sha256(json.dumps(self.model_dump(), sort_keys=True).encode()).hexdigest()[:16]


class SceneSettings(_Section):
    """How movies and long files are cut (PySceneDetect's names and defaults)."""

    detector: Literal["adaptive", "content"] = Field("adaptive", description="how cuts are found")
    threshold: float | None = Field(None, gt=0, description="null: 3.0 for adaptive, 27.0 for content")
    min_content_value: float = Field(15.0, gt=0, description="adaptive: smallest change that can be a cut")
    luma_only: Literal["auto", "always", "never"] = Field("auto", description="auto: for films without colour")
    min_scene_frames: int = Field(15, ge=1, description="no two cuts within so many frames")
    min_cut_s: float = Field(4.0, gt=0, description="shortest clip of a cut file")
    min_whole_s: float = Field(0.2, ge=0, description="shortest whole file")
    max_s: float = Field(30.0, gt=0, description="longest clip; longer animations and stickers are cut")
    frame_stride: int = Field(20, ge=1, description="every n-th frame of a clip is measured")


class MediaSettings(_Section):
    """Limits and effort of reading media."""

    workers: int = Field(0, ge=0, description="processes; 0: one per core")
    timeout_s: float = Field(3600.0, gt=0, description="longest time for one item")
    memory_mb: int = Field(
        4096, ge=0, description="memory that one worker may use (Linux); 0: no limit, else 512 or more"
    )
    max_pixels: int = Field(8192 * 4320, ge=1, description="of one picture")
    max_frames: int = Field(24 * 3600 * 60, ge=1, description="of one file")
    max_duration_s: float = Field(24 * 3600.0, gt=0, description="of one file")
    max_animation_pixels: int = Field(10_000_000_000, ge=1, description="frames × pixels of a GIF, APNG, WebP or AVIF")
    audio_language: str = Field(
        "",
        pattern=r"^([A-Za-z]{2,3}([-_][A-Za-z0-9]+)*)?$",
        description="of the sound, where a file has it; ISO 639, such as en; docs/files.md",
    )
    clip_files: Literal["exact", "copy", "encode"] = Field(
        "exact",
        description="exact: packets wherever every program then shows the clip, ends encoded where it takes that; "
        "copy: hides what is too much by edit lists",
    )
    max_quarantined_share: float = Field(0.5, ge=0, le=1, description="above this share the run fails")

    @field_validator("memory_mb")
    @classmethod
    def _enough_to_start(cls, value: int) -> int:
        if 0 < value < LEAST_MEMORY_MB:
            raise ValueError(f"a worker needs {LEAST_MEMORY_MB} to read the smallest file; 0 sets no limit")
        return value


class StepResources(_Section):
    """What a worker of one step takes of a Ray cluster, where it is not what the others take."""

    step: str = Field(
        min_length=1, pattern=NAME, description="its name, such as scan or clip_file; as progress tells it"
    )
    cpus: float = Field(1.0, gt=0, allow_inf_nan=False, description="of a node")
    gpus: float = Field(0.0, ge=0, allow_inf_nan=False, description="of a node; 0.5: two workers share one")
    memory_mb: int = Field(0, ge=0, description="of a node, which Ray then counts; 0: not counted")


class ComputeSettings(_Section):
    """Where the items of a run are computed. Results are the same everywhere (docs/scaling.md)."""

    engine: Literal["processes", "ray"] = Field("processes", description="of this machine, or of a Ray cluster")
    ray_address: str | None = Field(
        None, min_length=1, description="host:port of its head, or auto; null: a cluster of this machine alone"
    )
    home_on_workers: str | None = Field(
        None, pattern="^/", description="path of this home on its nodes; null: as here, or what EMOVID_HOME says there"
    )
    cpus: float = Field(1.0, gt=0, allow_inf_nan=False, description="that a worker takes of a node")
    memory_mb: int = Field(0, ge=0, description="that it takes of a node, which Ray then counts; 0: not counted")
    steps: tuple[StepResources, ...] = Field(
        (), description="[[compute.steps]]: one table a step that takes others, or has a model"
    )

    @field_validator("steps")
    @classmethod
    def _names_each_step_once(cls, value: tuple[StepResources, ...]) -> tuple[StepResources, ...]:
        names = [one.step for one in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'two tables are of the step "{name}": leave one')
        return value

    def of_step(self, name: str) -> StepResources:
        """What a worker of a step takes."""
        own = (one for one in self.steps if one.step == name)
        return next(own, StepResources(step=name, cpus=self.cpus, memory_mb=self.memory_mb))

    def names(self, step: str) -> bool:
        """Whether a step has a table of its own: one with a model is then done on the cluster, too."""
        return any(one.step == step for one in self.steps)


class AnnotationSettings(_Section):
    """Who is asked what (SPEC §6; ADR 10). Fractions of the clips and minimums of clips are per domain."""

    human_fraction: float = Field(0.2, ge=0, le=1, description="of animation and movie clips")
    human_minimum: int = Field(0, ge=0, description="but at least so many clips")
    label_annotators: int = Field(3, ge=1, description="people per clip of the human sample")
    adjudicate: bool = Field(False, description="send a disagreement of them to one more person")
    verify_annotators: int = Field(1, ge=1, description="people per sticker")
    validation_fraction: float = Field(0.01, ge=0, le=1, description="of all clips: labelled blind")
    validation_minimum: int = Field(20, ge=0, description="but at least so many clips")
    validation_annotators: int = Field(3, ge=1, description="people per validation clip")
    review_annotators: int = Field(1, ge=0, description="people per benchmark clip; 0: no second review")


class BenchmarkSettings(_Section):
    """What the benchmark and the training split hold."""

    per_cell: int = Field(10, ge=1, description="clips per domain and emotion")
    movie_train_limit: int = Field(8000, ge=0, description="most movie clips of the training split")


class _ModelSettings(_Section):
    """A model that looks at clips. `embedded` needs neither download nor GPU; the other two need `model`."""

    backend: Literal["embedded", "transformers", "endpoint"] = "embedded"
    model: str | None = Field(None, min_length=1, description="folder or hub id; at an endpoint the name it serves")
    revision: str | None = Field(None, description="branch, tag or commit of a hub model; a name for a served one")
    prompt: str | None = Field(None, description="file below the home folder; null: the project's own")
    context: tuple[Literal["title", "transcript"], ...] = Field((), description="what the prompt says of the clip")
    frames: int = Field(8, ge=1, description="of a clip that the model sees")
    frame_choice: Literal["uniform", "motion"] = Field("uniform", description="motion: equal shares of all change")
    frame_side_px: int = Field(448, ge=16, description="longest side of a frame; larger ones are made smaller")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: the GPU where torch sees one")
    precision: Literal["auto", "float32", "bfloat16", "float16", "4bit"] = Field(
        "auto", description="auto: bfloat16 on a GPU, float32 on a CPU; 4bit needs bitsandbytes"
    )
    trust_remote_code: bool = Field(False, description="run Python that a model brings along")
    batch_clips: int = Field(8, ge=1, description="clips that the model sees at once (transformers)")
    base_url: str | None = Field(None, description="of an OpenAI-compatible server, with its /v1 (endpoint)")
    key_variable: str = Field("EMOVID_MODEL_KEY", description="environment variable that holds the server's key")
    concurrency: int = Field(8, ge=1, description="requests under way at once (endpoint)")
    timeout_s: float = Field(120.0, gt=0, description="for one answer (endpoint)")
    attempts: int = Field(6, ge=1, description="for one request, while the server is busy or unreachable (endpoint)")
    prompt_price: float = Field(0.0, ge=0, description="per million prompt tokens, in any currency (endpoint)")
    output_price: float = Field(0.0, ge=0, description="per million output tokens (endpoint)")

    @model_validator(mode="after")
    def _has_what_its_backend_needs(self) -> Self:
        if self.backend != "embedded" and self.model is None:
            raise ValueError(f'backend = "{self.backend}" needs a model')
        if self.backend == "endpoint" and self.base_url is None:
            raise ValueError('backend = "endpoint" needs a base_url such as "http://127.0.0.1:8000/v1"')
        return self


class LabellerSettings(_ModelSettings):
    """Which model labels clips, and whether it learns from the human labels first."""

    min_training_clips: int = Field(16, ge=2, description="fewer human labels: the embedded labeller does not exist")
    fine_tune: bool = Field(True, description="transformers: train an adapter where there are enough human labels")
    answer: Literal["letters", "choice"] = Field("letters", description="how an endpoint is asked")
    rotations: int = Field(2, ge=1, le=8, description="orders of the letters that are averaged (endpoint)")

    @property
    def learns(self) -> bool:
        """Whether an adapter is trained where there are enough human labels."""
        return self.backend == "transformers" and self.fine_tune


class CaptionerSettings(_ModelSettings):
    """Which model describes clips."""

    min_words: int = Field(8, ge=1, description="of a caption")
    max_words: int = Field(80, ge=1, description="of a caption")
    max_tokens: int = Field(192, ge=8, description="that the model may write")
    tries: int = Field(3, ge=1, description="for a caption that keeps to the rules; then the clip is quarantined")


class FineTuningSettings(_Section):
    """How the adapter of the labeller is trained (LoRA)."""

    min_clips: int = Field(64, ge=2, description="human-labelled clips; with fewer the model is used as it is")
    held_out_share: float = Field(0.2, gt=0, lt=1, description="of the groups: half to choose, half to measure")
    rank: int = Field(16, ge=1, description="of the adapter")
    alpha: int = Field(32, ge=1, description="its scale is alpha / rank")
    dropout: float = Field(0.05, ge=0, lt=1, description="in the adapter")
    learning_rate: float = Field(1e-4, gt=0, description="highest; it warms up and decays")
    train_projector: bool = Field(False, description="also the projector and the head, whole; tiny models need it")
    batch_clips: int = Field(8, ge=1, description="clips of a step")
    micro_batch_clips: int = Field(1, ge=1, description="clips in memory at once")
    max_epochs: int = Field(5, ge=1, description="times that every clip is seen")
    patience: int = Field(2, ge=1, description="evaluations without progress before it stops")
    evaluations_per_epoch: int = Field(1, ge=1, description="on the held-out clips")


class EmbeddingSettings(_Section):
    """What `clip_embeddings` are made by, and how many of them are mapped."""

    model: str = Field("embedded", min_length=1, description="embedded: measured features; or a model folder or hub id")
    revision: str | None = Field(None, description="branch, tag or commit of a hub model; null: its main branch")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: the GPU where torch sees one")
    batch_frames: int = Field(32, ge=1, description="frames that the model sees at once")
    map_clips: int = Field(5000, ge=16, description="most clips of the map; more are sampled fairly")
    map_change: float = Field(
        0.1, ge=0, le=1, description="share of its clips that may come or go before it is made anew; 0: none"
    )
    separability_clips: int = Field(2000, ge=16, description="most clips that separability is measured on")
    neighbours: int = Field(15, ge=1, description="nearest clips that separability looks at")


class AdapterSettings(_Section):
    """A LoRA adapter of a generator."""

    name: str = Field(min_length=1, pattern=NAME, description="under which it is listed")
    file: str = Field(
        min_length=1, description="name in [[tuning.adapters]], safetensors file below the home folder, or hub id"
    )
    weight: float = Field(1.0, allow_inf_nan=False, description="how strongly it counts")


class GeneratorSettings(_Section):
    """A model that makes videos, run through diffusers."""

    name: str = Field(min_length=1, pattern=NAME, description="under which it is listed; one model may have several")
    task: Literal["t2v", "i2v"] = Field(description="from the prompt alone, or with a first frame")
    model: str = Field(min_length=1, description="folder or hub id of a diffusers pipeline")
    revision: str | None = Field(None, description="branch, tag or commit of a hub model")
    prompts: Literal["benchmark", "characters"] = Field(
        "benchmark", description="benchmark: its prompts; characters: each of library/characters in each emotion"
    )
    domains: tuple[Literal["animation", "movie", "sticker"], ...] = Field(
        ("animation", "movie", "sticker"), description="whose prompts; characters belong to sticker"
    )
    seeds: tuple[Annotated[int, Field(strict=True, ge=0, lt=2**63)], ...] = Field(
        (0,), min_length=1, description="a video each"
    )
    adapters: tuple[AdapterSettings, ...] = Field((), description="LoRA adapters, together")
    width_px: int = Field(832, ge=16, multiple_of=8, description="of the video")
    height_px: int = Field(480, ge=16, multiple_of=8, description="of the video")
    frames: int = Field(81, ge=1, description="of the video; families round it")
    fps: float = Field(
        16.0, gt=0, allow_inf_nan=False, description="of the file: the rate that the model was trained at"
    )
    steps: int = Field(50, ge=1, description="of denoising")
    guidance: float | None = Field(None, ge=0, description="null: the pipeline's own default")
    negative_prompt: str | None = Field(None, description="what is not wanted")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field("auto", description="auto: bfloat16 on a GPU")
    offload: Literal["none", "model", "sequential"] = Field("none", description="what waits in memory of the CPU")
    tiles: bool = Field(False, description="frames are decoded in pieces: less memory, faint seams")
    options: dict[str, str | int | float | bool] = Field({}, description="more arguments of the pipeline, by name")
    is_trial: bool = Field(False, description="a model of random weights: its numbers are marked everywhere")

    @field_validator("seeds")
    @classmethod
    def _has_each_seed_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(value))


class GenerationSettings(_Section):
    """Which generators are run on the benchmark, and by which models their videos are scored (docs/generation.md)."""

    models: tuple[GeneratorSettings, ...] = Field((), description="[[generation.models]]: one table a generator")
    trial_imports: tuple[str, ...] = Field(
        (), description="generators of library/generated that are models of random weights: their numbers are marked"
    )
    text_model: str | None = Field(None, min_length=1, description="CLIP or SigLIP, folder or hub id; null: no cosines")
    text_revision: str | None = Field(None, description="branch, tag or commit of it")
    video_model: str | None = Field(
        None, min_length=1, description="video encoder for distances, folder or hub id; null: measured features"
    )
    video_revision: str | None = Field(None, description="branch, tag or commit of it")
    scorers_are_trial: bool = Field(
        False, description="a scorer, or the labeller, is a model of random weights: its numbers are marked everywhere"
    )
    common_fps: float = Field(8.0, gt=0, description="rate at which flicker is compared")
    common_side_px: int = Field(256, ge=16, description="shorter side at which flicker is compared")
    common_s: float = Field(2.0, gt=0, description="length at which flicker is compared, from the start")
    batch_frames: int = Field(32, ge=1, description="frames that a scorer sees at once")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: the GPU where torch sees one")
    study_pairs: int = Field(40, ge=1, description="pairs of videos that people compare, in each domain")
    study_checks: int = Field(6, ge=0, description="attention checks beside them, in each domain")
    study_annotators: int = Field(3, ge=1, description="people a pair")

    @field_validator("models")
    @classmethod
    def _has_each_name_once(cls, value: tuple[GeneratorSettings, ...]) -> tuple[GeneratorSettings, ...]:
        seen: set[tuple[str, str]] = set()
        written: dict[str, str] = {}
        for model in value:
            # Where case makes no difference in names of files, these would be one folder.
            if (other := written.setdefault(model.name.lower(), model.name)) != model.name:
                raise ValueError(f'"{other}" and "{model.name}" differ by case alone: give each its own name')
            if (model.name, model.task) in seen:
                raise ValueError(f'two generators are called "{model.name}" for {model.task}: give each its own name')
            seen.add((model.name, model.task))
        return value


class TunedAdapterSettings(_Section):
    """A LoRA adapter that is trained here, on clips of the training split."""

    name: str = Field(min_length=1, pattern=NAME, description="under which it is listed, and its file")
    task: Literal["t2v", "i2v"] = Field(description="of the generator: from the prompt alone, or with a first frame")
    model: str = Field(min_length=1, description="folder or hub id of a Wan 2.1 of diffusers")
    revision: str | None = Field(None, description="branch, tag or commit of a hub model")
    domains: tuple[Literal["animation", "movie", "sticker"], ...] = Field(
        ("animation", "movie", "sticker"), min_length=1, description="whose clips it learns from"
    )
    width_px: int | None = Field(None, ge=16, multiple_of=16, description="null: each clip's bucket of training_sets")
    height_px: int | None = Field(None, ge=16, multiple_of=16, description="null: the same")
    frames: int = Field(81, ge=5, description="of a clip, at most: 4k + 1")
    prompt_tokens: int | None = Field(None, ge=1, description="that a prompt becomes; null: as the pipeline does it")
    rank: int = Field(32, ge=1, description="of the adapter; its scale is 1")
    learning_rate: float = Field(1e-4, gt=0, allow_inf_nan=False, description="of every step")
    epochs: int = Field(3, ge=1, description="times that the clips are seen, at most")
    batch_clips: int = Field(1, ge=1, description="clips of a step")
    targets: tuple[Literal["q", "k", "v", "o", "ffn.0", "ffn.2"], ...] = Field(
        ("q", "k", "v", "o", "ffn.0", "ffn.2"), min_length=1, description="layers that get an adapter, by Wan's names"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="of every random number")
    min_clips: int = Field(32, ge=2, description="with fewer nothing is trained")
    held_out_share: float = Field(0.05, gt=0, lt=1, description="of the clips, at most 32; whole groups")
    evaluations_per_epoch: int = Field(2, ge=1, description="on the held-out clips")
    patience: int = Field(3, ge=1, description="evaluations without progress before it stops")
    dtype: Literal["auto", "float32", "bfloat16"] = Field("auto", description="auto: bfloat16 on a GPU")
    optimiser: Literal["adamw", "adamw8bit"] = Field("adamw", description="adamw8bit: a GPU and bitsandbytes")
    gradient_checkpointing: bool = Field(True, description="less memory, a third more time")
    is_trial: bool = Field(False, description="a model of random weights: its numbers are marked everywhere")

    @model_validator(mode="after")
    def _has_both_sides_or_none(self) -> Self:
        if (self.width_px is None) != (self.height_px is None):
            raise ValueError("set both width_px and height_px, or neither")
        return self

    @field_validator("frames")
    @classmethod
    def _is_a_number_of_wan(cls, value: int) -> int:
        if value % 4 != 1:
            below = value - (value - 1) % 4
            raise ValueError(f"Wan is trained on 4k + 1 frames, not {value}: take {below} or {below + 4}")
        return value


class TuningSettings(_Section):
    """Training sets for generators (docs/training.md), and adapters trained on them (docs/training_lora.md)."""

    animation_repeats: int = Field(
        1, ge=0, description="times that an animation clip is seen in an epoch; 0: not at all"
    )
    movie_repeats: int = Field(1, ge=0, description="the same of a movie clip")
    sticker_repeats: int = Field(1, ge=0, description="the same of a sticker")
    adapters: tuple[TunedAdapterSettings, ...] = Field((), description="[[tuning.adapters]]: one table an adapter")
    cache_gb: float = Field(50.0, ge=0, description="of clips as a model sees them, kept for every step; 0: none")
    save_every: int = Field(50, ge=1, description="steps between two files that a stopped training goes on from")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: the GPU where torch sees one")

    def repeats(self) -> dict[str, int]:
        """By domain."""
        return {"animation": self.animation_repeats, "movie": self.movie_repeats, "sticker": self.sticker_repeats}

    @field_validator("adapters")
    @classmethod
    def _has_each_adapter_once(cls, value: tuple[TunedAdapterSettings, ...]) -> tuple[TunedAdapterSettings, ...]:
        names = [one.name.lower() for one in value]
        if twice := next((one.name for one in value if names.count(one.name.lower()) > 1), None):
            raise ValueError(f'two adapters are called "{twice}", whatever the case: give each its own name')
        return value


class CollectionSettings(_Section):
    """What is collected from where, and how much of it per run (docs/collection.md). Keys of services come from the
    environment only."""

    max_items: int = Field(200, ge=0, description="files per run and domain")
    max_mb: int = Field(2000, ge=1, description="megabytes per run and domain")
    max_file_mb: int = Field(300, ge=1, description="megabytes of one file")
    max_attempts: int = Field(5, ge=1, description="tries of an item that fails")
    pause_s: float = Field(2.0, ge=0, description="between two downloads")
    max_kb_s: int = Field(0, ge=0, description="download rate of films; 0: no limit")
    movie_url: str = Field(
        "https://www.youtube.com/watch?v={id}", pattern=r"^https?://.*\{id\}", description="page of a film's video"
    )
    movie_extractors: tuple[str, ...] = Field(("youtube",), description="of yt-dlp: what an address may lead to")
    movie_format: str = Field("b[height<=360]/bv*[height<=360]+ba/b", description="which quality, in yt-dlp's words")
    sticker_services: tuple[Literal["klipy", "tenor", "giphy"], ...] = Field(
        ("klipy",), description="of klipy, tenor, giphy; their keys: KLIPY_API_KEY, TENOR_API_KEY, GIPHY_API_KEY"
    )
    klipy_url: str = Field("https://api.klipy.com/v2", description="base address")
    tenor_url: str = Field("", description="base address of a service that speaks Tenor v2")
    giphy_url: str = Field("https://api.giphy.com/v1", description="base address")
    request_pause_s: float = Field(1.0, ge=0, description="between two searches")
    results_per_query: int = Field(50, ge=1, description="stickers looked at per word")
    content_filter: Literal["high", "medium", "low", "off"] = "high"
    near_duplicate_bits: int = Field(6, ge=0, le=64, description="of 64: pictures that differ by no more are the same")
    animation_sources: tuple[str, ...] = Field((), description="folders and archives, each with a manifest.csv")
    allowed_hosts: tuple[str, ...] = Field((), description="host or host:port that may be private, for tests")


class HistorySettings(_Section):
    """How much of Dagster's own history is kept. What is the latest of an asset or check in a domain always stays."""

    keep_days: int = Field(30, ge=1, description="days that an ended run is kept")
    keep_runs: int = Field(200, ge=1, description="runs, the latest ones; older ones go before their days are over")


class AlertSettings(_Section):
    """Who is told of failed runs, failed checks and domains that have not been built for long, while the sensor
    `alerts` is on (docs/automation.md)."""

    alert_url: str | None = Field(None, pattern=r"^https?://", description="gets each message as JSON by POST")
    alert_command: tuple[str, ...] = Field((), description="program and arguments; gets each message as JSON on stdin")
    key_variable: str = Field("EMOVID_ALERT_KEY", description="environment variable that holds the key of alert_url")
    timeout_s: float = Field(20.0, gt=0, description="for one message")
    attempts: int = Field(4, ge=1, description="for one message at alert_url, while the server is busy or unreachable")


class Settings(_Section):
    """Everything in `emovid.toml`; each key has a default, so the file may be absent or partial."""

    seed: str = Field("emovid", description="of every random choice (samples, splits)")
    scenes: SceneSettings = SceneSettings()
    media: MediaSettings = MediaSettings()
    compute: ComputeSettings = ComputeSettings()
    annotation: AnnotationSettings = AnnotationSettings()
    benchmark: BenchmarkSettings = BenchmarkSettings()
    labeller: LabellerSettings = LabellerSettings()
    captioner: CaptionerSettings = CaptionerSettings()
    fine_tuning: FineTuningSettings = FineTuningSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    generation: GenerationSettings = GenerationSettings()
    tuning: TuningSettings = TuningSettings()
    collection: CollectionSettings = CollectionSettings()
    history: HistorySettings = HistorySettings()
    alerts: AlertSettings = AlertSettings()


def read_settings(path: Path) -> Settings:
    """The settings that a file holds; all defaults where there is none.

    Raises SettingsError with the file, the key and what is allowed.
    """
    if not path.exists():
        return Settings()
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Settings.model_validate(values)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{_place(e['loc'], values)}: {_said(e)}" for e in error.errors())
        raise SettingsError(f"{path}: {faults}") from error


def _place(keys: Sequence[int | str], values: Any) -> str:
    """The key as it stands in the file; of a list of tables the one with this name, else its number from 1."""
    told = ""
    for key in keys:
        try:
            values = values[key]
        except (KeyError, IndexError, TypeError):
            values = None
        if isinstance(key, str):
            told += f".{key}" if told else key
        else:
            name = values.get("name") if isinstance(values, dict) else None
            told += f' "{name}"' if isinstance(name, str) else f" {key + 1}"
    return told


def _said(fault: Mapping[str, Any]) -> str:
    """What is allowed, in words of the file."""
    if fault["type"] == "extra_forbidden":
        return "there is no such setting"
    if fault["type"] == "string_pattern_mismatch" and fault["ctx"]["pattern"] == NAME:
        return "letters, digits, dots, _ and - are allowed, at most 64, the first a letter or digit"
    return str(fault["msg"]).replace("valid tuple", "list").replace("Tuple", "The list").replace("tuple", "list")
