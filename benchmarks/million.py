"""What every asset after the media pass costs in a library of any size: peak memory, and CPU per clip, size by size.

Run `python -m benchmarks.million [--counts 22758 200000] [--assets NAME …] [--tree FOLDER]` from the repository, on
Linux. The inputs are planted (`synthetic_warehouse`, with the measurements of this module); each asset is asked of
Dagster in a process of its own, domain by domain, with its checks, as a build does, and reads what the one before has
written. Prints a Markdown table: CPU-seconds and peak resident memory (MB) of all domains by asset and size, and how
much a clip costs in the last size over the first, both less what an empty library costs.

Belongs here: the order of assets, and the measurements that models look at. Does not belong here: the media pass, and
what DuckDB derives (`benchmarks.views`, `benchmarks.large_library`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTITIONED = {
    "segments": True,
    "clips": True,
    "colour_attributes": True,
    "clip_features": True,
    "clip_groups": False,
    "clip_embeddings": True,
    "annotation_tasks": True,
    "human_annotations": True,
    "rejected_annotations": True,
    "human_labels": True,
    "annotator_quality": True,
    "annotator_choices": True,
    "annotator_confusion": True,
    "vlm_labels": True,
    "captions": True,
    "emotion_labels": True,
    "embedding_map": False,
    "embedding_separability": False,
    "validation_ratings": True,
    "kappa_validation": True,
    "processing_errors": True,
}
"""Assets in the order of a build, and whether they are made domain by domain."""
KEPT = {"human_annotations", "rejected_annotations"}
"""Planted, where the asset would read files of answers."""


def measured(home: str, asset: str) -> None:
    """In a process of its own: materialises an asset with its checks in all domains, and prints what that took."""
    import dagster as dg

    from benchmarks.measuring import cpu_seconds
    from benchmarks.memory import peak_mb
    from emovid_assets.core.domains import DOMAINS
    from emovid_assets.orchestration.assembly import build_defs
    from emovid_assets.resources.project import Project

    defs = build_defs(resource_overrides={"project": Project(home_folder=home)})
    job = defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection={dg.AssetKey(asset)})
    for domain in DOMAINS if PARTITIONED[asset] else [None]:
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(
                instance=instance,
                partition_key=domain,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        failed = [one.check_name for one in result.get_asset_check_evaluations() if not one.passed]
        if failed:
            print(f"{asset} [{domain}]: {', '.join(failed)}", file=sys.stderr)
    print(json.dumps({"cpu_s": cpu_seconds(), "peak_mb": peak_mb(os.getpid())}))


def ask(tree: Path, home: Path, asset: str) -> dict[str, float] | None:
    """The same from outside; None where it dies, which the log of the process explains."""
    found = subprocess.run(
        # By its path: the package is that of the tree, which need not know of this module.
        [sys.executable, __file__, "--home", str(home), "--asset", asset],
        cwd=home,
        env={**os.environ, "EMOVID_HOME": str(home), "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if found.returncode:
        print(f"{asset}: {found.stderr[-1500:]}", file=sys.stderr)
        return None
    if found.stderr:
        print(found.stderr[-300:], file=sys.stderr)
    answer: dict[str, float] = json.loads(found.stdout.strip().splitlines()[-1])
    return answer


MEASURED = {
    "scanned_segments": {
        "thumbnail_path": "'media/thumbnails/' || clip_id || '.jpg'",
        "duration_s": "8.05",
        "start_frame": "0",
        "end_frame": "200",
        "has_audio": "'{domain}' <> 'sticker'",
        "sampled_frame_count": "10",
        "sampled_pixel_count": "9216000",
        "hue_sin_sum": "9216000 * (u(clip_number, 20) - 0.5)",
        "hue_cos_sum": "9216000 * (u(clip_number, 21) - 0.5)",
        "saturation_sum": "9216000 * u(clip_number, 22)",
        "value_sum": "9216000 * u(clip_number, 23)",
        "chromatic_pixel_count": "9000000",
        "colour_histogram": "list_transform(range(28), lambda n: u(clip_number, 24) / (n + 1))",
        "motion_mean": "u(clip_number, 25) / 10",
        "motion_sd": "u(clip_number, 26) / 10",
        "motion_peak": "u(clip_number, 27) / 5",
        "cut_rate_hz": "u(clip_number, 28)",
        "loudness_db": "case when '{domain}' <> 'sticker' then -60 * u(clip_number, 29) end",
        "loudness_sd_db": "case when '{domain}' <> 'sticker' then 5.0 end",
        "spectral_centroid_hz": "case when '{domain}' <> 'sticker' then 900.0 end",
        "silence_share": "case when '{domain}' <> 'sticker' then 0.1 end",
        "band_shares": "case when '{domain}' <> 'sticker' then list_transform(range(8), lambda n: 0.125) else [] end",
        "sampled_pts_s": "list_transform(range(10), lambda n: n * 0.8)",
        "sampled_changes": "list_transform(range(10), lambda n: u(clip_number * 16 + n, 30))",
        "frame_hashes": "list_transform(range(3), lambda n: lpad(to_hex(hash(clip_number * 4 + n)), 16, '0'))",
    }
}
"""What the media pass finds of a clip: a sampled frame each 0.8 s, so eleven lists of numbers in all."""


def plant(home: Path, count: int) -> None:
    """The tables, and a forest that has learnt from a few clips: how long it learns is no matter of the library."""
    import numpy as np

    from benchmarks.synthetic_warehouse import plant_warehouse
    from emovid_assets.core.embedded_labeller import MODEL_ID, forest_of
    from emovid_assets.core.emotions import EMOTION_NAMES
    from emovid_assets.resources.warehouse import Warehouse
    from emovid_assets.tables.registry import TABLES
    from emovid_assets_tests.core.evidence import labelled, random_clip

    plant_warehouse(home, count, MEASURED)
    random = np.random.default_rng(0)
    examples = [labelled(random_clip(random, f"movie-{n}"), EMOTION_NAMES[n % 8], f"g{n % 40}") for n in range(400)]
    forest = forest_of(examples, minimum=40)
    forest.save(home / "models" / "labeller")
    table = TABLES["emotion_labeller"]
    row = {column.name: None if column.is_nullable else 0 for column in table.columns} | {
        "model_id": MODEL_ID,
        "base_model": "none",
        "revision": forest.revision,
        "kind": "embedded",
        "temperature": 1.0,
        "path": "models/labeller",
        "training_config": "{}",
    }
    Warehouse(home / "warehouse").write(table.name, None, table.from_rows([row]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[22_758, 200_000])
    parser.add_argument("--assets", nargs="+", default=[name for name in PARTITIONED if name not in KEPT])
    parser.add_argument("--tree", type=Path, default=ROOT, help="the package that is measured, such as a worktree")
    parser.add_argument("--home")
    parser.add_argument("--asset")
    chosen = parser.parse_args()
    if chosen.asset:
        measured(chosen.home, chosen.asset)
        return
    counts = [0, *chosen.counts]
    taken: dict[str, list[dict[str, float] | None]] = {name: [] for name in chosen.assets}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            plant(home, count)
            for name in chosen.assets:
                taken[name].append(ask(chosen.tree, home, name))
                print(count, name, taken[name][-1], file=sys.stderr, flush=True)
    heads = [f"{count:,}: {what}" for count in chosen.counts for what in ("CPU-s", "peak, MB")]
    print("| asset | " + " | ".join(heads) + " | a clip, last / first |\n|---|" + "--:|" * (len(heads) + 1))
    for name, found in taken.items():
        cells = [f"{one['cpu_s']:.1f} | {one['peak_mb']:.0f}" if one else "— | —" for one in found[1:]]
        print(f"| `{name}` | " + " | ".join(cells) + f" | {_ratio(found, counts)} |")


def _ratio(found: list[dict[str, float] | None], counts: list[int]) -> str:
    empty, first, last = found[0], found[1], found[-1]
    if not (empty and first and last) or first["cpu_s"] - empty["cpu_s"] < 0.5:
        return "—"
    each = [(one["cpu_s"] - empty["cpu_s"]) / count for one, count in ((first, counts[1]), (last, counts[-1]))]
    return f"{each[1] / each[0]:.2f}"


if __name__ == "__main__":
    main()
