"""How long each SQL view takes on a library of the paper's size: 22,758 clips, every table filled.

Run `python -m benchmarks.views [--repeat 3]` from the repository. Exits with 1 where a view takes longer
than the limit, so that it can be used as a check on a quiet machine.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES
from emovid_assets.resources.catalogue import build_catalogue, open_catalogue, read_view_files
from emovid_assets_tests.sql.planting import SQL_FOLDER, label, plant

CLIP_COUNTS = {"movie": 13_255, "animation": 2_807, "sticker": 6_696}
"""Clips per domain as the paper prints them (Table 2)."""
LIMIT_S = 0.5
VOCABULARY_SIZE = 3_000


def plant_library(home: Path, seed: int = 0) -> int:
    """Fills every table that a view reads; returns the number of clips."""
    random = np.random.default_rng(seed)
    words = np.array(
        [f"word{index}" for index in range(VOCABULARY_SIZE)] + ["the", "a", "in", "of", "with", "and"] * 60
    )
    # Zipf-like, as words in captions are: few frequent ones, many rare ones.
    weights = np.concatenate([1 / np.arange(1, VOCABULARY_SIZE + 1), np.full(360, 0.02)])
    weights /= weights.sum()
    for domain, clip_count in CLIP_COUNTS.items():
        sources = [f"{domain}-{index // 12:016x}" for index in range(clip_count)]
        ids = [f"{source}-{index % 12:08d}-{index % 12 + 1:08d}" for index, source in enumerate(sources)]
        emotions = random.choice(EMOTION_NAMES, clip_count)
        place = [{"clip_id": clip, "domain": domain} for clip in ids]
        indexed = list(enumerate(zip(place, sources, emotions, strict=True)))
        plant(
            home,
            "source_videos",
            [
                {"source_id": source, "domain": domain, "sha256": source, "film_id": source[:-1]}
                for source in sorted(set(sources))
            ],
        )
        scenes = [keys | {"source_id": source, "scene_index": 2 * (index % 12)} for index, (keys, source, _) in indexed]
        plant(home, "segments", [keys | {"is_kept": True} for keys in scenes])
        plant(home, "clips", [keys | {"duration_s": 4 + index % 20} for index, keys in enumerate(scenes)])
        plant(home, "clip_media", [keys | {"sha256": keys["clip_id"]} for keys in place])
        plant(
            home,
            "colour_attributes",
            [
                keys
                | {
                    "brightness": round(float(v), 1),
                    "colorfulness": round(float(s), 1),
                    "brightness_mean": float(v),
                    "colorfulness_mean": float(s),
                    "hue_mean_deg": float(h * 360),
                    "hue_resultant": float(s),
                }
                for keys, (v, s, h) in zip(place, random.random((clip_count, 3)), strict=True)
            ],
        )
        plant(home, "emotion_labels", [label(keys["clip_id"], domain, str(e)) for _, (keys, _, e) in indexed])
        plant(home, "vlm_labels", [keys | {"emotion": str(e)} for _, (keys, _, e) in indexed])
        plant(home, "human_labels", [keys | {"emotion": str(e)} for _, (keys, _, e) in indexed[::5]])
        plant(
            home,
            "human_annotations",
            [
                keys | {"annotator_id": person, "label": str(random.choice(EMOTION_NAMES))}
                for keys in place[::5]
                for person in "abc"
            ],
        )
        captions = [" ".join(random.choice(words, 30, p=weights)) + "." for _ in ids]
        plant(home, "captions", [k | {"caption": text} for k, text in zip(place, captions, strict=True)])
        plant(
            home,
            "benchmark_split",
            [
                keys | {"split": "benchmark" if index % 90 == 0 else "train", "emotion": str(e), "group_id": source}
                for index, (keys, source, e) in indexed
            ],
        )
        plant(
            home,
            "validation_ratings",
            [
                keys
                | {"rater_id": rater, "rater_kind": "vlm" if rater == "model" else "human"}
                | {"label": str(random.choice(HUMAN_CHOICES))}
                for keys in place[::100]
                for rater in ("anna", "ben", "cleo", "model")
            ],
        )
        plant(home, "processing_errors", [{"domain": domain, "asset": "clips", "item_id": i} for i in ids[::50]])
    return sum(CLIP_COUNTS.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each view; the median counts")
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        clip_count = plant_library(home)
        start = time.perf_counter()
        build_catalogue(home, SQL_FOLDER)
        print(f"{clip_count} clips; catalogue built in {time.perf_counter() - start:.2f} s")
        slow = []
        with open_catalogue(home, SQL_FOLDER) as connection:
            for file in read_view_files(SQL_FOLDER):
                times_s = []
                for _ in range(repeat):
                    start = time.perf_counter()
                    row_count = connection.sql(f"select * from {file.name}").to_arrow_table().num_rows
                    times_s.append(time.perf_counter() - start)
                median_s = float(np.median(times_s))
                print(f"{file.name:28} {row_count:7} rows {median_s * 1000:8.0f} ms")
                if median_s > LIMIT_S:
                    slow.append(file.name)
    if slow:
        print(f"Slower than {LIMIT_S} s: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
