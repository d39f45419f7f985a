"""Stage 6a: videos of generators, made here of the benchmark's prompts or of characters, or brought by people.

Belongs here: `generated_videos`. Does not belong here: what they are worth (`generation_scores`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

from emovid_assets.assets.look_back import last_built
from emovid_assets.assets.pictures import contact_sheet
from emovid_assets.assets.table_asset import MODEL_POOL, Rows, markdown_list, markdown_table, result, table_asset
from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.generation.wanted import Wanted
from emovid_assets.core.identity import file_sha256
from emovid_assets.drawing.numerals import counted
from emovid_assets.resources import media_steps
from emovid_assets.resources.file_faults import note_faults
from emovid_assets.resources.generation import imported, running
from emovid_assets.resources.generation.brought import BROUGHT_TAG, digest_of
from emovid_assets.resources.generation.generators import Source, adapters_told
from emovid_assets.resources.generation.stage import OF_BENCHMARK, Stage, forget_others, run_and_read, stage_of
from emovid_assets.resources.generation.video_files import THUMBNAIL
from emovid_assets.resources.item_store import Failure
from emovid_assets.resources.project import Project
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.registry import TABLES

GROUP = "generation"
FROM_FILE = ("sha256", "frame_count", "fps", "width_px", "height_px", "duration_s")
FROM_RUN = ("requested_frame_count", "model_id", "model_revision", "dtype", "pipeline_class", "versions", "model_s")
SHEET_LINES, MOST_SHEETS = 12, 6


@table_asset(
    group=GROUP,
    code_version=f"3.{running.VERSION}.{media_steps.READ_GENERATED_VERSION}",
    kinds=["diffusers"],
    settings=["generation_models", "reading_limits"],
    pool=MODEL_POOL,
)
def generated_videos(context: dg.AssetExecutionContext, project: Project, benchmark_split: pa.Table) -> Rows:
    domain = context.partition_key

    def others() -> Iterator[list[dict[str, Any]]]:
        for name in DOMAINS:
            if name != domain:
                yield rows_of(last_built(project, "generated_videos", "benchmark_split", name), OF_BENCHMARK)

    stage = stage_of(project, domain, rows_of(benchmark_split, OF_BENCHMARK), others)
    project.note(BROUGHT_TAG, digest_of(stage.found, domain))
    for sentence in stage.lacking:
        context.log.info(sentence)
    forget_others(project, stage)
    project.with_store(lambda store: note_faults(store, imported.FAULTS_STEP, domain, stage.faults))
    made, read = run_and_read(project, stage, context.log)
    hashes = _FirstFrames(project)
    trials = frozenset(project.settings.generation.trial_imports)
    rows = [
        *(_run_row(domain, *stage.wanted[name], payload, hashes) for name, payload in made.payloads.items()),
        *(
            _read_row(domain, *stage.imports.videos[name], payload, hashes, trials)
            for name, payload in read.payloads.items()
        ),
    ]
    refused = project.with_store(lambda store: store.failures(domain, imported.FAULTS_STEP))
    return result(
        "generated_videos",
        TABLES["generated_videos"].from_rows(rows),
        failures=[*made.failures, *read.failures, *refused],
        computed_count=made.computed_count + read.computed_count,
        metadata=_shown(project, stage, rows) | _told(stage, made.failures),
    )


class _FirstFrames:
    """SHA-256 of pictures that videos begin with, each read once."""

    def __init__(self, project: Project) -> None:
        self._home = project.home
        self._known: dict[str, str | None] = {}

    def of(self, path: str | None) -> str | None:
        if path is not None and path not in self._known:
            file = self._home.root / path
            self._known[path] = file_sha256(file) if file.is_file() else None
        return self._known[path] if path is not None else None


def _row(domain: str, wanted: Wanted, payload: Mapping[str, Any], first_frames: _FirstFrames) -> dict[str, Any]:
    return {
        "video_id": wanted.video_id,
        "domain": domain,
        "generator": wanted.generator,
        "task": wanted.task,
        "clip_id": wanted.clip_id,
        "character": wanted.character,
        "asked_emotion": wanted.asked_emotion,
        "seed": wanted.seed,
        "prompt": wanted.prompt,
        "prompt_sha256": wanted.prompt_sha256,
        "first_frame_path": wanted.first_frame_path,
        "first_frame_sha256": first_frames.of(wanted.first_frame_path),
        **{name: payload[name] for name in FROM_FILE},
    }


def _run_row(
    domain: str, wanted: Wanted, source: Source, payload: dict[str, Any], first_frames: _FirstFrames
) -> dict[str, Any]:
    return {
        **_row(domain, wanted, payload, first_frames),
        "origin": "run",
        "video_path": payload["video_path"],
        **{name: payload[name] for name in FROM_RUN},
        "adapters": adapters_told(source, payload),
        "is_trial": source.settings.is_trial,
    }


def _read_row(
    domain: str,
    wanted: Wanted,
    path: str,
    payload: dict[str, Any],
    first_frames: _FirstFrames,
    trials: frozenset[str],
) -> dict[str, Any]:
    return {
        **_row(domain, wanted, payload, first_frames),
        "origin": "imported",
        "video_path": path,
        **dict.fromkeys(FROM_RUN),
        "adapters": [],
        "is_trial": wanted.generator in trials,
    }


def _shown(project: Project, stage: Stage, rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows and not stage.faults and not stage.lacking:
        return {
            "how_to_begin": "docs/generation.md: [[generation.models]] in emovid.toml, or files in library/generated"
        }
    counts = Counter((row["generator"], row["task"], row["origin"]) for row in rows)
    told = [
        {"generator": name, "task": task, "origin": origin, "videos": count}
        for (name, task, origin), count in sorted(counts.items())
    ]
    shown: dict[str, Any] = {"generators": markdown_table(told)} if told else {}
    if stage.lacking:
        shown["lacking"] = markdown_list(stage.lacking)
    shown |= {f"not_used_{code}": count for code, count in sorted(Counter(f.code for f in stage.faults).items())}
    made = [row for row in rows if row["origin"] == "run"]
    of_benchmark: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in made:
        if row["character"] is None:
            of_benchmark[f"{row['generator']} {row['task']}"].append(row)
    for name, some in sorted(of_benchmark.items())[:MOST_SHEETS]:
        # In the order of emotions, so that sheets can be held beside each other.
        some.sort(key=lambda row: (_place(row), row["prompt_sha256"], row["seed"]))
        shown[f"middle frames: {name}"] = _sheet(project, some)
    if stickers := [row for row in made if row["character"] is not None]:
        # A line a character and seed, a column an emotion.
        stickers.sort(key=lambda row: (row["generator"], row["character"], row["seed"], _place(row)))
        shown["stickers"] = _sheet(project, stickers, columns=len(EMOTION_NAMES), most=SHEET_LINES * len(EMOTION_NAMES))
    return shown


def _told(stage: Stage, failures: Iterable[Failure]) -> dict[str, Any]:
    """Which generators do not run or have nothing to begin with, each with its reason, and which make something else
    than is asked of them, as sentences of the line that a build prints."""
    videos: Counter[tuple[str, str]] = Counter()
    for one in failures:
        if one.code == running.UNUSABLE and one.item_id in stage.wanted:
            videos[stage.wanted[one.item_id][1].key, one.message] += 1
    told = [f"{counted(count, 'video')} of {key} not made: {said}" for (key, said), count in sorted(videos.items())]
    told += [*(f"{sentence}." for sentence in stage.lacking), *stage.remarks]
    return {"missing": " ".join(told)} if told else {}


def _place(row: Mapping[str, Any]) -> int:
    return EMOTION_NAMES.index(row["asked_emotion"])


def _sheet(project: Project, rows: Iterable[Mapping[str, Any]], **layout: int) -> dg.MetadataValue:
    some = list(rows)
    paths = [f"{row['video_path'].rpartition('.')[0]}{THUMBNAIL}" for row in some]
    return contact_sheet(project.home.root, paths, [row["asked_emotion"] for row in some], **layout)
