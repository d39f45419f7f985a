"""The first thing a reader sees: what must be known before the numbers are used, and five sentences that sum them up.

Belongs here: size, who labelled, agreement, whether the labeller is better than chance, whether it may be released.
Does not belong here: when a warning is due (`sql/dataset_warnings.sql`), what the sections say in detail.
"""

from emovid_assets.core.agreement import DIRECTION_WORDS, direction_of
from emovid_assets.core.domains import TOTAL
from emovid_assets.drawing.markup import Markup, element, join
from emovid_assets.drawing.numerals import clips, count, hours, interval, number, percent, words
from emovid_assets.report.answers import Answers, Row
from emovid_assets.report.exhibits import strong

WARNINGS = "SELECT code, subject, item_count, total_count, message, what_to_do FROM dataset_warnings"
SIZES = "SELECT domain, clip_count, duration_total_h FROM dataset_statistics"
SOURCES = """\
SELECT count(*) AS source_count, count(*) FILTER (trim(coalesce(license, '')) = '') AS unknown_count
FROM source_videos"""
LABELS = """\
SELECT coalesce(sum(clip_count), 0) AS clip_count, coalesce(sum(human_label_count), 0) AS human_count
FROM emotion_distribution WHERE domain = 'total'"""
LABELLERS = """\
SELECT v.model_id, count(*) AS label_count, any_value(m.validation_accuracy) AS accuracy,
       any_value(m.baseline_accuracy) AS baseline, any_value(m.held_out_clip_count) AS held_out_count,
       any_value(wilson_low(m.validation_accuracy * m.held_out_clip_count, m.held_out_clip_count)) AS low,
       any_value(wilson_high(m.validation_accuracy * m.held_out_clip_count, m.held_out_clip_count)) AS high
FROM emotion_labels e JOIN vlm_labels v USING (clip_id)
LEFT JOIN emotion_labeller m ON m.model_id = v.model_id AND m.revision = v.model_revision
WHERE e.label_source = 'vlm'
GROUP BY v.model_id, v.model_revision ORDER BY label_count DESC, v.model_id"""
AGREEMENT = """\
SELECT statistic, value, low, high, clip_count FROM agreement_statistics
WHERE scope = 'total' AND emotion = 'all'"""
STRENGTHS = ((0.8, "almost perfectly"), (0.6, "substantially"), (0.4, "moderately"), (0.2, "fairly"), (0.0, "slightly"))
"""Landis and Koch (1977): words for a kappa above each of these."""


def warnings_box(answers: Answers) -> Markup | None:
    """What must be known first; null where there is nothing to warn of."""
    found = answers.ask(WARNINGS).rows
    if not found:
        return None
    items = [element("li", strong(row["message"]), " ", row["what_to_do"]) for row in found]
    return element(
        "aside",
        element("h2", "Before you use it", id="warnings-head"),
        element("ul", *items),
        class_="banner",
        aria_labelledby="warnings-head",
        id="warnings",
    )


def summary(answers: Answers) -> Markup:
    """Five sentences, each in a paragraph of its own with what it is about."""
    parts = (
        ("Size", _size(answers)),
        ("Labels", _labels(answers)),
        ("Agreement", _agreement(answers)),
        ("Labeller", _labeller(answers)),
        ("Release", _release(answers)),
    )
    lines = [join(element("dt", name), element("dd", said)) for name, said in parts]
    return element("dl", *lines, class_="summary")


def _size(answers: Answers) -> str:
    *domains, total = answers.ask(SIZES).rows
    named = [f"{row['domain']} {count(row['clip_count'])}" for row in domains if row["clip_count"]]
    sources = answers.ask(SOURCES).first.get("source_count")
    return (
        f"{clips(total['clip_count'])} ({hours(total['duration_total_h'])}) of {count(sources)} source videos: "
        f"{words(named)}."
    )


def _labels(answers: Answers) -> str:
    row = answers.ask(LABELS).first
    total, human = row.get("clip_count") or 0, row.get("human_count") or 0
    if not total:
        return "No clip has a label yet."
    models = list(dict.fromkeys(one["model_id"] for one in answers.ask(LABELLERS).rows))
    by_model = f", and {words(models)} the other {count(total - human)}" if human < total else ""
    all_clips = next((one["clip_count"] for one in answers.ask(SIZES).rows if one["domain"] == TOTAL), total)
    without = f"; {clips(all_clips - total)} without" if all_clips > total else ""
    by_people = f"People labelled {count(human)} of the {clips(total)} that have a label ({percent(human / total, 0)})"
    return f"{by_people}{by_model}{without}."


def _agreement(answers: Answers) -> str:
    known = {row["statistic"]: row for row in answers.ask(AGREEMENT).rows if row["clip_count"]}
    people, model = known.get("pooled_kappa_human_human"), known.get("pooled_kappa_human_vlm")
    if people is None:
        return "How far people agree is not known: fewer than two have labelled the same validation clips."
    if people["value"] is None:
        return (
            "How far people agree beyond chance cannot be told: whatever two of them have labelled, "
            f"{clips(people['clip_count'])}, has one and the same label."
        )
    said = f"Two people agree {_strength(people['value'])} ({_kappa(people)})"
    if model is None or model["value"] is None:
        return f"{said}; no model has labelled the same clips."
    direction = DIRECTION_WORDS[direction_of(people["value"], model["value"])]
    gap = known.get("kappa_gap", {})
    is_open = "" if (gap.get("low") or 0) > 0 else ", but so few clips leave the direction open"
    with_model = f"a person and the model {_strength(model['value'])} ({_kappa(model)})"
    return f"{said}, {with_model}, on {clips(model['clip_count'])}: {direction}{is_open}."


def _strength(kappa: float) -> str:
    return next((word for limit, word in STRENGTHS if kappa > limit), "no more than chance would")


def _kappa(row: Row) -> str:
    shown = interval(row["low"], row["high"])
    return f"kappa {number(row['value'])}, 95 % {shown}" if row["low"] is not None else f"kappa {number(row['value'])}"


def _labeller(answers: Answers) -> str:
    rows = answers.ask(LABELLERS).rows
    if not rows:
        return "No label is a model’s."
    return " ".join(map(_worth, rows))


def _worth(row: Row) -> str:
    if row["accuracy"] is None or row["low"] is None or row["baseline"] is None:
        return f"How good the labels of {row['model_id']} are was never measured."
    verdict = (
        "better than always answering the most frequent label"
        if row["low"] > row["baseline"]
        else "not shown to be better than always answering the most frequent label"
    )
    measured = f"{clips(row['held_out_count'])} that people labelled and it was not trained on"
    right = (
        f"right on {percent(row['accuracy'])} of {measured} (95 % {interval(100 * row['low'], 100 * row['high'], 0)})"
    )
    return f"{row['model_id']} is {verdict}: {right}, where that answer would be on {percent(row['baseline'])}."


def _release(answers: Answers) -> str:
    row = answers.ask(SOURCES).first
    unknown, total = row.get("unknown_count") or 0, row.get("source_count") or 0
    if not total:
        return "There is nothing to release yet."
    codes = {one["code"] for one in answers.ask(WARNINGS).rows}
    why = [f"{count(unknown)} of {count(total)} sources state no licence"] if unknown else []
    why += ["the training split holds what the benchmark holds"] if "split_leaks" in codes else []
    why += ["the answers are simulated"] if "simulated_answers" in codes else []
    if why:
        return f"Not as it is: {words(why)}."
    return "Nothing known stands against it: every source states a licence. Whether each allows it is yours to read."
