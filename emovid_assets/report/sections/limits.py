"""What a reader must know before the numbers are used: each sentence stands only where it is true of this data."""

from collections.abc import Iterator

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.drawing.markup import element
from emovid_assets.drawing.numerals import clips, count, percent, words
from emovid_assets.report.answers import Answers
from emovid_assets.report.exhibits import Section

SIMULATED = """\
SELECT count(*) AS answer_count, count(*) FILTER (starts_with(annotator_id, 'simulated-')) AS simulated_count
FROM human_annotations"""
COUNTS = "SELECT domain, clip_count FROM dataset_statistics"
UNLABELLED = """\
SELECT count(*) AS clip_count FROM clips ANTI JOIN emotion_labels USING (clip_id)"""
EMBEDDED_LABELS = """\
SELECT count(*) AS clip_count FROM emotion_labels JOIN vlm_labels USING (clip_id)
WHERE label_source = 'vlm' AND starts_with(model_id, 'embedded/')"""
EMBEDDED_CAPTIONS = "SELECT count(*) AS clip_count FROM captions WHERE starts_with(model_id, 'embedded/')"
LICENCES = "SELECT count(*) AS source_count, count(*) FILTER (license IS NULL) AS unknown_count FROM source_videos"
VALIDATION = """\
SELECT value, low, high, clip_count, required_clip_count FROM agreement_statistics
WHERE scope = 'total' AND statistic = 'kappa_gap' AND emotion = 'all'"""
CELLS = """\
SELECT count(*) FILTER (missing_count > 0) AS lacking_count, count(*) AS cell_count, min(wanted_count) AS wanted_count
FROM benchmark_cells"""
QUARANTINED = "SELECT count(*) AS item_count FROM processing_errors"
SMALL_N = 30
SMALL = f"SELECT count(*) AS emotion_count FROM emotion_distribution WHERE domain = 'total' AND clip_count < {SMALL_N}"


def is_simulated(answers: Answers) -> str | None:
    """Who simulated answers are of, in a sentence; null where all are of people."""
    row = answers.ask(SIMULATED).first
    if not row.get("simulated_count"):
        return None
    share = row["simulated_count"] / row["answer_count"]
    who = "All" if share == 1 else f"{percent(share)} of the"
    return f"{who} {count(row['answer_count'])} human answers in this report are simulated, not given by people."


def limits(answers: Answers) -> Section:
    items = [element("li", one) for one in (*_of_the_data(answers), *ALWAYS)]
    return Section("limits", "Known limits", text=element("ul", *items, class_="limits"))


def _of_the_data(answers: Answers) -> Iterator[str]:
    first = {name: answers.ask(sql).first for name, sql in _QUESTIONS.items()}
    simulated = is_simulated(answers)
    if simulated:
        yield simulated
    empty = [row["domain"] for row in answers.ask(COUNTS).rows if row["domain"] in DOMAINS and not row["clip_count"]]
    if empty:
        yield f"There is nothing yet in {words(empty)}."
    if n := first["small"].get("emotion_count"):
        which = "All" if n == len(EMOTION_NAMES) else f"{count(n)} of the"
        yield (
            f"{which} {len(EMOTION_NAMES)} emotions have fewer than {SMALL_N} clips: what is said of them one by one "
            "may be chance."
        )
    if n := first["embedded_labels"].get("clip_count"):
        yield (
            f"{clips(n)} have their final label from the embedded classifier (palette, motion, cut rhythm, sound), not "
            "from a vision-language model: labels by model compare with the paper’s in kind only."
        )
    if n := first["embedded_captions"].get("clip_count"):
        yield f"{count(n)} captions are by the embedded describer: they say what was measured, not what is depicted."
    gap = first["validation"]
    if (wanted := gap.get("required_clip_count")) and wanted > gap["clip_count"]:
        yield (
            f"The gap of the kappas rests on {clips(gap['clip_count'])}; an interval of ± 0.04 would need about "
            f"{count(wanted)}."
        )
    cells = first["cells"]
    if n := cells.get("lacking_count"):
        yield (
            f"{count(n)} of {count(cells['cell_count'])} cells of the benchmark have fewer than the "
            f"{count(cells['wanted_count'])} clips that are wanted."
        )
    if n := first["unlabelled"].get("clip_count"):
        yield f"{clips(n)} without a final label: nobody and no model gave one, or people disagreed or rejected them."
    licences = first["licences"]
    if n := licences.get("unknown_count"):
        yield (
            f"{count(n)} of {count(licences['source_count'])} sources have no stated licence: clear their rights "
            "before anything is passed on."
        )
    if n := first["quarantined"].get("item_count"):
        yield f"{count(n)} in quarantine: what could not be processed is missing from all numbers."


ALWAYS = (
    "Comparisons between emotions are of observed clips, not of an experiment: a difference in colour is no cause.",
    "Clips of one film are alike: intervals and tests that treat clips as independent are narrower than the truth.",
    "Valence and arousal are those of the eight words, not of the clips.",
)
_QUESTIONS = {
    "small": SMALL,
    "embedded_labels": EMBEDDED_LABELS,
    "embedded_captions": EMBEDDED_CAPTIONS,
    "validation": VALIDATION,
    "cells": CELLS,
    "unlabelled": UNLABELLED,
    "licences": LICENCES,
    "quarantined": QUARANTINED,
}
