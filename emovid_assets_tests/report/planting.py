"""A small library whose numbers are known, with texts in it that try to be markup."""

from pathlib import Path

from PIL import Image

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.sql.planting import label, plant

ATTACK = '<script>alert("x")</script><img src=x onerror=alert(1)>'
LONG_WORD = "unbroken" * 12
CLIPS_PER_CELL = 2


def plant_library(home: Path) -> None:
    """Three domains × eight emotions × two clips: half of a cell benchmark, half training; people agree on all.

    Brightness is 0.9 for positive and 0.2 for negative emotions. Movies go through the emotions in their order. Every
    title, caption, annotator and quarantined path is an attack or a word that no line is wide enough for.
    """
    ids = [
        (domain, emotion, number, f"{domain}-{position:08x}-{number}")
        for domain in DOMAINS
        for position, emotion in enumerate(EMOTION_NAMES)
        for number in range(CLIPS_PER_CELL)
    ]
    source = {clip_id: f"{clip_id}-source" for *_, clip_id in ids}
    for _, _, _, clip_id in ids:
        draw_thumbnail(home / f"media/thumbnails/{clip_id}.jpg")
    plant(
        home,
        "source_videos",
        (
            {"domain": domain, "source_id": source[clip_id], "title": ATTACK, "path": ATTACK, "license": ATTACK}
            | {"sha256": clip_id}
            for domain, _, _, clip_id in ids
        ),
    )
    plant(
        home,
        "clips",
        (
            {
                "domain": domain,
                "clip_id": clip_id,
                "source_id": source[clip_id],
                "duration_s": 2.0 + 2 * number,
                "has_audio": domain != "sticker",
                "thumbnail_path": f"media/thumbnails/{clip_id}.jpg",
            }
            for domain, _, number, clip_id in ids
        ),
    )
    plant(home, "emotion_labels", (label(clip_id, domain, emotion) for domain, emotion, _, clip_id in ids))
    plant(
        home,
        "colour_attributes",
        (
            {
                "domain": domain,
                "clip_id": clip_id,
                "brightness": 0.9 if EMOTION_NAMES.index(emotion) < 4 else 0.2,
                "brightness_mean": 0.9 if EMOTION_NAMES.index(emotion) < 4 else 0.2,
                "colorfulness": 0.5,
                "colorfulness_mean": 0.5,
                "hue_mean_deg": 120.0,
                "hue_resultant": 0.8,
            }
            for domain, emotion, _, clip_id in ids
        ),
    )
    plant(
        home,
        "captions",
        ({"domain": domain, "clip_id": clip_id, "caption": f"{ATTACK} {LONG_WORD}"} for domain, _, _, clip_id in ids),
    )
    plant(
        home,
        "benchmark_split",
        (
            {
                "domain": domain,
                "clip_id": clip_id,
                "emotion": emotion,
                "split": "train" if number else "benchmark",
                "group_id": clip_id,
            }
            for domain, emotion, number, clip_id in ids
        ),
    )
    plant(
        home,
        "validation_ratings",
        (
            {"domain": domain, "clip_id": clip_id, "rater_id": rater, "rater_kind": kind, "label": emotion}
            for domain, emotion, _, clip_id in ids
            for rater, kind in ((LONG_WORD, "human"), ("b", "human"), (f"model/{ATTACK}", "vlm"))
        ),
    )
    plant(
        home,
        "pooled_kappa",
        (
            {
                "rater_a": a,
                "rater_b": b,
                "pair_kind": kind,
                "clip_count": 48,
                "observed_agreement": 1.0,
                "kappa": kappa,
                "kappa_low": kappa - 0.1,
                "kappa_high": kappa + 0.1,
            }
            for a, b, kind, kappa in (
                (LONG_WORD, "b", "human_human", 0.8),
                ("b", f"model/{ATTACK}", "human_vlm", 0.7),
                (LONG_WORD, f"model/{ATTACK}", "human_vlm", 0.6),
            )
        ),
    )
    plant(
        home,
        "agreement_statistics",
        (
            {"scope": "total", "statistic": name, "emotion": "all", "value": value, "low": low, "high": high}
            | {"clip_count": 48, "source_count": 40, "least_pair_clip_count": 3}
            for name, value, low, high in (
                ("mean_kappa_human_human", 0.6, None, None),
                ("pooled_kappa_human_human", 0.8, 0.7, 0.9),
                ("pooled_kappa_human_vlm", 0.65, 0.6, 0.7),
                ("kappa_gap", 0.15, 0.05, 0.25),
            )
        ),
    )
    tuned = f"model/{ATTACK}"
    plant(
        home,
        "emotion_labeller",
        [
            {"model_id": tuned, "base_model": ATTACK, "revision": "r1", "kind": "fine_tuned"}
            | {"training_clip_count": 400, "held_out_clip_count": 100, "validation_accuracy": 0.7}
            | {"baseline_accuracy": 0.2, "validation_macro_f1": 0.6}
        ],
    )
    compared = {"scope": "total", "clip_count": 48, "kappa": 0.5, "macro_f1": 0.6, "ece": 0.1, "nll": 0.9}
    plant(
        home,
        "labeller_comparison",
        [
            compared | {"rater_id": name, "rater_kind": kind, "truth": truth, "accuracy": accuracy, "pair_count": pairs}
            for name, kind, truth, accuracy, pairs in (
                (tuned, "fine_tuned", "majority", 0.625, 48),
                (ATTACK, "zero_shot", "majority", 0.5, 48),
                (tuned, "fine_tuned", "others", 0.7, 120),
                (LONG_WORD, "person", "others", 0.8, 40),
                ("people", "people", "others", 0.75, 120),
            )
        ],
    )
    plant(
        home,
        "human_annotations",
        (
            {"domain": domain, "clip_id": clip_id, "annotator_id": ATTACK, "label": emotion}
            for domain, emotion, _, clip_id in ids
        ),
    )
    plant(
        home,
        "processing_errors",
        [{"domain": "movie", "asset": "segments", "item_id": "x", "path": ATTACK, "code": ATTACK, "message": ATTACK}],
    )


def draw_thumbnail(path: Path, side_px: int = 160) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((side_px, side_px), 90).convert("RGB").save(path)
