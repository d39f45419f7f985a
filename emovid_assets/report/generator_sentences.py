"""What a test of two generators says, as a sentence.

Belongs here: the words, for the report and for the page of the asset. Does not belong here: which sentences are shown.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from emovid_assets.drawing.numerals import interval, number, p_value

Row = Mapping[str, Any]

LEVEL = 0.05
TRIAL_MARK = "trial"
"""Stands at every number that a model of random weights had part in."""
METRIC_NAMES = {
    "ea8": "EA-8",
    "ea2": "EA-2",
    "caption_cosine": "caption cosine",
    "label_cosine": "emotion cosine",
    "first_frame_consistency": "first frame",
    "flicker_native": "flicker as it is",
    "flicker_common": "flicker at common settings",
    "frechet_distance": "Fréchet distance",
    "kernel_distance": "kernel distance",
}
_IS_BETTER = {
    "ea8": "is recognised as the emotion asked for more often than",
    "ea2": "is recognised as its polarity more often than",
    "caption_cosine": "is nearer to its captions than",
    "label_cosine": "is nearer to the sentences that name the emotion than",
    "first_frame_consistency": "stays nearer to its first frames than",
    "flicker_native": "changes less from frame to frame, as the files are, than",
    "flicker_common": "changes less from frame to frame, at common settings, than",
    "frechet_distance": "is nearer to the real clips by Fréchet distance than",
    "kernel_distance": "is nearer to the real clips by kernel distance than",
}
_LOWER_IS_BETTER = ("flicker_native", "flicker_common", "frechet_distance", "kernel_distance")


def digits_of(metric: str) -> int:
    """Decimals that a value of a metric is written with."""
    return {"ea8": 3, "ea2": 3, "frechet_distance": 2}.get(metric, 4)


def finding(row: Row) -> str:
    """A sentence of a row of `generation_tests`."""
    return f"{_compared(row)}{_counted(row)}; {_tested(row)}{trial_told([row])}."


def trial_told(rows: Iterable[Row]) -> str:
    """What stands at the end of a sentence that rows with `is_trial` have part in, before its point."""
    marked = [bool(row["is_trial"]) for row in rows]
    if not any(marked):
        return ""
    return f" ({TRIAL_MARK}: says nothing of any model)" if all(marked) else f" (in part {TRIAL_MARK})"


def better_of(row: Row) -> tuple[str, str] | None:
    """(the better, the other) of a row of `generation_tests`; null where they are equal."""
    if not row["difference"]:
        return None
    is_b = (row["difference"] > 0) != (row["metric"] in _LOWER_IS_BETTER)
    names = (row["generator_b"], row["generator_a"])
    return names if is_b else names[::-1]


def _compared(row: Row) -> str:
    names = better_of(row)
    if names is None:
        return f"{row['generator_a']} and {row['generator_b']} are equal in {METRIC_NAMES[row['metric']]}"
    return f"{names[0]} {_IS_BETTER[row['metric']]} {names[1]}"


def _counted(row: Row) -> str:
    of = f"{row['pair_count']:,} videos that both have"
    if row["only_a_count"] is not None:
        alone = {row["generator_a"]: row["only_a_count"], row["generator_b"]: row["only_b_count"]}
        first, second = better_of(row) or (row["generator_a"], row["generator_b"])
        return f": of {of}, {alone[first]:,} are right in {first} alone and {alone[second]:,} in {second} alone"
    low, high = row["low"], row["high"]
    if low is not None and row["difference"] < 0:
        low, high = -high, -low
    ends = f" {interval(low, high, digits_of(row['metric']))}" if low is not None else ""
    return f": by {number(abs(row['difference']), digits_of(row['metric']))}{ends} on {of}"


def _tested(row: Row) -> str:
    said = f"p {_bound(row['p'])}"
    if row["family_count"] > 1:
        said += f", {_bound(row['p_adjusted'], is_second=True)} after correction for {row['family_count']} pairs"
    verdict = "distinguishable" if row["p_adjusted"] < LEVEL else "not distinguishable"
    return f"{said}: {verdict}"


def _bound(value: float, *, is_second: bool = False) -> str:
    shown = p_value(value)
    return shown if shown.startswith("<") or is_second else f"= {shown}"
