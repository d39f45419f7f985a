"""What the paper prints: nothing is missing, the slips are arithmetic, every query of `ours` gives what is shown."""

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scipy.stats

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import label

FACTS = Path(__file__).resolve().parents[1] / "facts"
METRICS = ("fvd", "clip_score", "first_frame_consistency", "flicker", "ea_2", "ea_8")

# A fact that is a plain value → quantity of its row.
PLAIN = {
    "extra_human_label": "extra_human_choice",
    "total_duration_s": "duration_total",
    "human_fraction_target": "human_share",
    "annotators_per_clip": "annotators_per_clip",
    "min_agree": "agreeing_annotators_min",
    "validation_fraction": "validation_share",
    "kappa_sources": "rater_count",
    "kappa_pairs": "rater_pair_count",
    "kappa_gap_claim": "kappa_gap",
    "vlm_label": "labeller",
    "vlm_caption": "captioner",
}
NESTED = {
    "colour": {
        "frame_stride": "frame_stride",
        "hue": "hue",
        "colorfulness": "colorfulness",
        "brightness": "brightness",
        "levels": "colour_level_count",
    },
    "anova": {"p": "anova_p_value", "eta2": "anova_eta_squared"},
    "benchmark": {
        "n": "benchmark_clip_count",
        "domains": "benchmark_domain_count",
        "emotions": "benchmark_emotion_count",
        "per_cell": "benchmark_cell_clip_count",
        "source": "benchmark_source",
        "prompt_suffix": "prompt_suffix",
    },
    "training": {
        "lora_rank": "lora_rank",
        "learning_rate": "learning_rate",
        "epochs": "epochs",
        "batch_size": "batch_size",
        "gpu": "gpu",
        "framework": "framework",
    },
}


def _facts() -> dict[str, Any]:
    return json.loads((FACTS / "paper_numbers.json").read_text(encoding="utf-8"))


@pytest.fixture
def numbers(library: Library) -> "Numbers":
    return Numbers(library.query("from paper_numbers"))


class Numbers:
    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.seen: set[int] = set()

    def take(self, **values: Any) -> dict[str, Any]:
        """The only row with these values; it counts as seen."""
        found = [row for row in self.rows if values.items() <= row.items()]
        assert len(found) == 1, f"{len(found)} rows have {values}"
        self.seen.add(found[0]["number_index"])
        return found[0]


def _expected(facts: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any, float | None]]:
    """Row of `paper_numbers`, what it prints, and its consistent value, for every value of the file."""
    for dataset, modalities, hours, clips, content, scheme in facts.pop("table1"):
        printed = (modalities, hours, clips, content, scheme)
        names = ("modalities", "duration", "clip_count", "content", "label_scheme")
        for name, value in zip(names, printed, strict=True):
            yield {"dataset": dataset, "quantity": f"dataset_{name}"}, value, None
    flags = {True: "yes", False: "no"}
    for domain, values in facts.pop("table2").items():
        consistent = values.pop("avg_consistent_value", None)
        names = {"clips": "clip_count", "avg": "duration_mean", "sd": "duration_sd"}
        names |= {"video": "has_video", "audio": "has_audio", "caption": "has_caption"}
        for name, value in values.items():
            place = {"place": "Table 2", "domain": domain, "quantity": names[name]}
            printed = flags[value] if isinstance(value, bool) else value
            yield place, printed, consistent if name == "avg" else None
    consistent_labels = facts.pop("human_annotated_consistent")
    for domain, value in facts.pop("human_annotated_printed").items():
        consistent = consistent_labels[domain]
        yield {"domain": domain, "quantity": "human_label_count"}, value, None if consistent == value else consistent
    for index, emotion in enumerate(facts.pop("emotions_order_mikels")):
        yield {"emotion": emotion, "quantity": "emotion_index"}, index, None
    for polarity, emotions in facts.pop("polarity").items():
        for emotion in emotions:
            yield {"emotion": emotion, "quantity": "polarity"}, polarity, None
    yield {"domain": "animation", "quantity": "collected_count"}, facts.pop("animation_source_clips"), None
    for name, value in zip(("min", "max"), facts.pop("movie_duration_filter_s"), strict=True):
        yield {"quantity": f"movie_duration_{name}"}, value, None
    markov = facts.pop("markov")
    assert markov.pop("domain") == "movie"
    for emotion, value in markov.pop("self").items():
        yield {"emotion": emotion, "next_emotion": emotion, "quantity": "transition_self"}, value, None
    for name, value in zip(("min", "max"), markov.pop("within_polarity"), strict=True):
        yield {"quantity": f"transition_within_polarity_{name}"}, value, None
    yield {"quantity": "transition_across_polarity_max", "relation": "<="}, markov.pop("cross_polarity_max"), None
    yield {"quantity": "transition_order", "domain": "movie"}, markov.pop("order"), None
    for emotion, following in markov.pop("chains"):
        place = {"quantity": "transition_chain", "emotion": emotion, "next_emotion": following}
        yield place, f"{emotion} to {following}", None
    assert not markov
    phrases = facts.pop("caption_phrases")
    yield {"quantity": "phrases_per_emotion"}, phrases.pop("top_k"), None
    for name, value in zip(("min", "max"), phrases.pop("ngram"), strict=True):
        yield {"quantity": f"phrase_words_{name}"}, value, None
    assert not phrases
    for domain in (*DOMAINS, "total"):
        yield {"domain": domain, "quantity": "training_clip_count"}, facts["training"].pop(domain), None
    for task in ("T2V", "I2V"):
        for model in facts.pop(f"models_{task.lower()}"):
            yield {"task": task, "model": model, "quantity": "model"}, model, None
    for key, names in NESTED.items():
        values = facts.pop(key)
        assert set(values) == set(names), key
        for name, value in values.items():
            yield {"quantity": names[name]}, value, None
    assert facts.pop("extended_version_user_study").startswith("66.2% ")
    yield {"quantity": "user_study_preference"}, "66.2%", None
    for key, quantity in PLAIN.items():
        yield {"quantity": quantity}, facts.pop(key), None
    assert not facts, "these facts have no row"


def _is_printed(row: dict[str, Any], value: Any) -> bool:
    if isinstance(value, str):
        return bool(row["printed"] == value)
    scale = 100 if row["unit"] == "percent" and value < 1 else 1
    return row["printed_value"] == pytest.approx(scale * value)


def test_every_number_of_the_paper_is_there_and_no_other(numbers: Numbers) -> None:
    for place, value, consistent in _expected(_facts()):
        row = numbers.take(**place)
        assert _is_printed(row, value), (row, value)
        assert row["consistent_value"] == consistent, row
    for values in csv.DictReader((FACTS / "table3.csv").open(encoding="utf-8")):
        for metric, column in zip(METRICS, ("fvd", "clip", "sd", "flicker", "ea2", "ea8"), strict=True):
            if values[column]:
                place = {"place": "Table 3", "task": values["task"], "model": values["method"], "quantity": metric}
                assert numbers.take(**place)["printed"] == values[column]
    for quantity in ("ea_2", "ea_8"):
        numbers.take(place="text on evaluation", quantity=quantity)
    assert [row["number_index"] for row in numbers.rows] == list(range(len(numbers.rows)))
    assert numbers.seen == set(range(len(numbers.rows)))


def test_the_slips_of_the_paper_are_kept_with_what_is_consistent(numbers: Numbers) -> None:
    slips = {
        (row["quantity"], row["domain"] or row["model"]): (row["printed_value"], row["consistent_value"])
        for row in numbers.rows
        if row["consistent_value"] is not None and row["place"] != "Table 3"
    }
    assert slips == {
        ("duration_mean", "movie"): (8.75, 8.05),
        ("human_label_count", "sticker"): (6996, 6696),
        ("human_label_count", "total"): (10049, 9749),
        ("ea_2", "WanVideo (after)"): (92.08, 94.58),
        ("ea_8", "WanVideo (after)"): (72.92, 76.25),
    }
    assert all(row["note"] for row in numbers.rows if row["consistent_value"] is not None)


def test_the_consistent_values_are_those_that_the_totals_need(numbers: Numbers) -> None:
    counts, means, deviations = (
        {d: numbers.take(place="Table 2", quantity=quantity, domain=d) for d in (*DOMAINS, "total")}
        for quantity in ("clip_count", "duration_mean", "duration_sd")
    )
    size = counts["total"]["printed_value"]
    assert sum(counts[d]["printed_value"] for d in DOMAINS) == size

    def pooled(movie_mean: float) -> tuple[float, float]:
        mean_of = {d: means[d]["printed_value"] for d in DOMAINS} | {"movie": movie_mean}
        shares = {d: counts[d]["printed_value"] / size for d in DOMAINS}
        mean = sum(shares[d] * mean_of[d] for d in DOMAINS)
        square = sum(shares[d] * (deviations[d]["printed_value"] ** 2 + mean_of[d] ** 2) for d in DOMAINS)
        return round(mean, 2), round(math.sqrt(square - mean**2), 2)

    printed = (means["total"]["printed_value"], deviations["total"]["printed_value"])
    assert pooled(means["movie"]["consistent_value"]) == printed == (6.18, 4.53)
    assert pooled(means["movie"]["printed_value"]) == (6.58, 4.71)
    labels = [numbers.take(quantity="human_label_count", domain=d) for d in (*DOMAINS, "total")]
    right = [row["consistent_value"] or row["printed_value"] for row in labels]
    assert sum(right[:3]) == right[3] == 9749


def test_the_leaderboard_has_k_of_n_where_the_facts_have_it(library: Library) -> None:
    rows = {(row["task"], row["generator"]): row for row in library.query("from generation_leaderboard")}
    facts = list(csv.DictReader((FACTS / "table3.csv").open(encoding="utf-8")))
    assert list(rows) == [(fact["task"], fact["method"]) for fact in facts]
    for fact in facts:
        row = rows[fact["task"], fact["method"]]
        for metric, column in zip(METRICS, ("fvd", "clip", "sd", "flicker", "ea2", "ea8"), strict=True):
            assert row[metric] == (float(fact[column]) if fact[column] else None)
        for metric, column in (("ea_2", "ea2"), ("ea_8", "ea8")):
            is_whole = fact[f"{column}_check"] != "not k/240"
            assert row[f"{metric}_check"] == fact[f"{column}_check"]
            assert row[f"{metric}_hit_count"] == (int(fact[f"{column}_hits_of_240"]) if is_whole else None)


def test_the_leaderboard_ranks_and_its_intervals_are_those_of_scipy(library: Library) -> None:
    rows = library.query("from generation_leaderboard")
    assert [row["is_computed"] for row in rows] == [False] * 10
    for task in ("T2V", "I2V"):
        models = [row for row in rows if row["task"] == task]
        for metric in METRICS:
            values = [row[metric] for row in models]
            sign = 1 if metric in ("fvd", "flicker") else -1
            ranks = [row[f"{metric}_rank"] for row in models]
            if None in values:
                assert values == ranks == [None] * 5
            else:
                expected = scipy.stats.rankdata([sign * value for value in values], "min")
                assert ranks == expected.astype(int).tolist()
    for row in rows:
        for metric in ("ea_2", "ea_8"):
            ends = (row[f"{metric}_low"], row[f"{metric}_high"])
            if row[f"{metric}_hit_count"] is None:
                assert ends == (None, None)
            else:
                interval = scipy.stats.binomtest(row[f"{metric}_hit_count"], 240).proportion_ci(method="wilson")
                assert ends == pytest.approx((100 * interval.low, 100 * interval.high), abs=1e-4)


def _plant(library: Library) -> None:
    """Three movie clips in a row, two stickers, and something of everything that the comparison asks for."""
    emotions = {"movie-0": "fear", "movie-1": "fear", "movie-2": "anger", "movie-3": "amusement"}
    clips = {clip: 4.0 + index for index, clip in enumerate(emotions)}
    library.plant(
        "clips",
        [
            {"domain": "movie", "clip_id": clip, "source_id": "film", "duration_s": length, "frame_count": count}
            for (clip, length), count in zip(clips.items(), (121, 140, 24, 1), strict=True)
        ],
    )
    library.plant(
        "clips", [{"domain": "sticker", "clip_id": f"s{i}", "duration_s": 1.0, "frame_count": 5} for i in range(2)]
    )
    library.plant("source_videos", [{"domain": "animation", "source_id": f"cartoon-{i}"} for i in range(3)])
    library.plant(
        "segments",
        [
            {"domain": "movie", "source_id": "film", "scene_index": i, "clip_id": clip, "is_kept": True}
            for i, clip in enumerate(emotions)
        ],
    )
    library.plant("emotion_labels", [label(clip, "movie", emotion) for clip, emotion in emotions.items()])
    library.plant(
        "colour_attributes",
        [
            {"domain": "movie", "clip_id": clip, "sampled_frame_count": (count - 1) // 20 + 1, "brightness": level}
            | {"brightness_mean": level, "colorfulness_mean": level / 2}
            for clip, count, level in zip(emotions, (121, 140, 24, 1), (0.1, 0.2, 0.2, 0.6), strict=True)
        ],
    )
    library.plant(
        "annotation_tasks",
        [
            {"domain": "movie", "clip_id": "movie-0", "purpose": "label", "required_annotators": 3},
            {"domain": "sticker", "clip_id": "s0", "purpose": "validate", "required_annotators": 2},
        ],
    )
    library.plant("human_annotations", [{"domain": "movie", "clip_id": "movie-1", "label": "no_specific_emotion"}])
    library.plant("human_labels", [{"domain": "movie", "clip_id": "movie-0", "outcome": "agreed", "agree_count": 2}])
    library.plant("human_labels", [{"domain": "sticker", "clip_id": "s0", "outcome": "agreed", "agree_count": 1}])
    library.plant(
        "vlm_labels",
        [{"domain": "movie", "clip_id": c, "model_id": m} for c, m in (("movie-0", "b"), ("movie-1", "a"))],
    )
    library.plant("captions", [{"domain": "movie", "clip_id": "movie-0", "caption": "Dark rain.", "model_id": "c"}])
    library.plant(
        "benchmark_split",
        [
            {"domain": "movie", "clip_id": "movie-3", "split": "benchmark", "emotion": "amusement"}
            | {"prompt": 'Fun. The video is in the "amusement" emotion.'},
            {"domain": "movie", "clip_id": "movie-0", "split": "train", "emotion": "fear"},
        ],
    )
    people = ("anna", "ben", "cleo", "model")
    pairs = [(a, b) for i, a in enumerate(people) for b in people[i + 1 :]]
    library.plant(
        "pooled_kappa",
        [{"rater_a": a, "rater_b": b, "pair_kind": "human_vlm" if b == "model" else "human_human"} for a, b in pairs],
    )
    library.plant(
        "agreement_statistics", [{"scope": "total", "statistic": "kappa_gap", "emotion": "all", "value": 0.03}]
    )


OURS = {
    ("clip_count", "movie"): 4,
    ("clip_count", "animation"): 0,
    ("duration_mean", "movie"): 5.5,
    ("duration_mean", "total"): 4.0,
    ("duration_total", None): 24.0,
    ("has_caption", "movie"): 1,
    ("has_caption", "sticker"): 0,
    ("collected_count", "animation"): 3,
    ("human_label_count", "movie"): 1,
    ("human_label_count", "total"): 2,
    ("training_clip_count", "movie"): 1,
    ("training_clip_count", "total"): 1,
    ("transition_within_polarity_min", "movie"): 0.0,
    ("transition_within_polarity_max", "movie"): 0.5,
    ("transition_across_polarity_max", "movie"): 1.0,
    ("movie_duration_min", None): 4.0,
    ("movie_duration_max", None): 7.0,
    ("human_share", None): 25.0,
    ("annotators_per_clip", None): 3,
    ("agreeing_annotators_min", None): 2,
    ("validation_share", None): pytest.approx(100 / 6),
    ("rater_count", None): 4,
    ("rater_pair_count", None): 6,
    ("kappa_gap", None): pytest.approx(3.0),
    ("frame_stride", None): 20,
    ("colour_level_count", None): 3,
    ("phrases_per_emotion", None): 1,
    ("benchmark_clip_count", None): 1,
    ("benchmark_cell_clip_count", None): 0,
}


def test_ours_is_computed_from_the_library(library: Library) -> None:
    _plant(library)
    rows = library.query("from paper_comparison")
    found = {(row["quantity"], row["domain"]): row["ours"] for row in rows}
    assert {key: found[key] for key in OURS} == OURS
    texts = {row["quantity"]: row["ours_text"] for row in rows if row["ours_text"] and row["dataset"] is None}
    assert texts.pop("polarity")
    assert texts == {
        "extra_human_choice": "no_specific_emotion",
        "labeller": "a, b",
        "captioner": "c",
        "prompt_suffix": 'The video is in the "amusement" emotion',
    }
    moves = {(row["emotion"], row["next_emotion"]): row["ours"] for row in rows if row["next_emotion"]}
    assert moves == {
        ("fear", "fear"): 0.5,
        ("fear", "anger"): 0.5,
        ("anger", "anger"): 0.0,
        ("amusement", "amusement"): None,
        ("sadness", "fear"): None,
        ("sadness", "anger"): None,
    }


def test_the_protocol_is_told_per_domain_and_in_total(library: Library) -> None:
    _plant(library)
    columns = "source_count, duration_max_s, label_share, agree_count_min, validation_share, frame_stride, labeller"
    columns += ", train_clip_count, benchmark_clip_count, rater_count"
    rows = library.query(f"select domain, {columns} from protocol_statistics")
    assert {row.pop("domain"): tuple(row.values()) for row in rows} == {
        "movie": (0, 7.0, 0.25, 2, 0.0, 20, "a, b", 1, 1, 0),
        "animation": (3, None, None, None, None, None, None, 0, 0, 0),
        # Stickers are verified instead of labelled.
        "sticker": (0, 1.0, None, None, 0.5, None, None, 0, 0, 0),
        "total": (3, 7.0, 0.25, 2, pytest.approx(1 / 6), 20, "a, b", 1, 1, 4),
    }


@pytest.mark.parametrize("is_planted", [True, False])
def test_every_query_of_ours_gives_what_is_shown(library: Library, is_planted: bool) -> None:
    if is_planted:
        _plant(library)
    rows = library.query("from paper_comparison")
    asked = [row for row in rows if row["ours_sql"]]
    assert len(asked) > 70
    with library.opened() as connection:
        for row in asked:
            ((value,),) = connection.execute(row["ours_sql"]).fetchall()
            shown = row["ours"] if row["ours_text"] is None else row["ours_text"]
            assert value == (pytest.approx(shown) if isinstance(shown, float) else shown), row
    unasked = [row for row in rows if not row["ours_sql"]]
    assert all(row["ours"] is None and row["ours_text"] is None for row in unasked)


def test_the_comparison_has_every_printed_row_once(library: Library) -> None:
    _plant(library)
    shared = "number_index, place, quantity, printed, relation, printed_value, consistent_value, unit, note"
    assert library.query(f"select {shared} from paper_comparison") == library.query(
        f"select {shared} from paper_numbers"
    )


def test_a_stride_that_the_clips_leave_open_is_null(library: Library) -> None:
    library.plant("clips", [{"domain": "movie", "clip_id": "a", "frame_count": 50}])
    library.plant("colour_attributes", [{"domain": "movie", "clip_id": "a", "sampled_frame_count": 3}])
    assert library.find("paper_comparison", quantity="frame_stride")["ours"] is None


def test_table_1_is_as_printed(library: Library) -> None:
    printed = _facts()["table1"]
    rows = library.query("from dataset_comparison")
    for row, (name, modalities, hours, _, content, scheme) in zip(rows[:6], printed[:6], strict=True):
        assert [row[c] for c in ("dataset", "modalities", "content", "label_scheme")] == [
            name,
            modalities,
            content,
            scheme,
        ]
        assert row["duration_h"] == float(hours.removesuffix("h"))
    assert [row["clip_count"] for row in rows[:6]] == [13000, 1400, 120, 124, 10000, 18000]
    assert [row["dataset_index"] for row in rows] == list(range(7))


def test_the_intervals_of_the_distribution_are_wilsons(library: Library) -> None:
    counts = {"fear": 3, "awe": 5, "anger": 1}
    library.plant(
        "emotion_labels",
        [label(f"{emotion}-{i}", "movie", emotion) for emotion, count in counts.items() for i in range(count)],
    )
    rows = [row for row in library.query("from emotion_distribution") if row["domain"] == "movie"]
    assert [row["emotion"] for row in rows] == list(EMOTION_NAMES)
    for row in rows:
        interval = scipy.stats.binomtest(counts.get(row["emotion"], 0), 9).proportion_ci(method="wilson")
        ends = (row["clip_share_low"], row["clip_share_high"])
        assert ends == pytest.approx((interval.low, interval.high), abs=1e-6)
    empty = library.find("emotion_distribution", domain="sticker", emotion="fear")
    assert (empty["clip_share_low"], empty["clip_share_high"]) == (None, None)
