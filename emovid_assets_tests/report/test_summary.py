"""The sentences that sum a library up, where there is nothing, or nothing that can be measured."""

from typing import Any

import pytest

from emovid_assets.report import summary
from emovid_assets.report.answers import Answer

TOTAL = {"domain": "total", "clip_count": 4, "duration_total_h": 1.0}
MEASURED = {"accuracy": 0.5, "baseline": 0.25, "held_out_count": 10, "low": 0.24, "high": 0.76}


class Planted:
    """Answers to the questions of the summary as they are given here; nothing to all others."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self._rows = {getattr(summary, name): tuple(found) for name, found in {"SIZES": [TOTAL], **rows}.items()}

    def ask(self, sql: str) -> Answer:
        return Answer(sql, self._rows.get(sql, ()))


def told(**rows: list[dict[str, Any]]) -> str:
    return str(summary.summary(Planted(**rows)))  # type: ignore[arg-type]


def agreement(people: tuple[float | None, int], model: tuple[float | None, int] = (None, 0)) -> list[dict[str, Any]]:
    kappas = {"pooled_kappa_human_human": people, "pooled_kappa_human_vlm": model}
    return [
        {"statistic": name, "value": value, "low": None, "high": None, "clip_count": clip_count}
        for name, (value, clip_count) in kappas.items()
    ]


def test_nothing_is_said_of_a_library_without_anything() -> None:
    said = told()
    assert "No clip has a label yet." in said
    assert "fewer than two have labelled the same validation clips" in said
    assert "There is nothing to release yet." in said


def test_people_who_give_all_clips_one_label_are_not_said_to_be_missing() -> None:
    said = told(AGREEMENT=agreement((None, 12), (None, 12)))
    assert "fewer than two" not in said
    assert "cannot be told: whatever two of them have labelled, 12 clips, has one and the same label." in said


def test_one_person_and_a_model_do_not_make_people_agree() -> None:
    assert "fewer than two have labelled" in told(AGREEMENT=agreement((None, 0), (0.5, 12)))


@pytest.mark.parametrize("unknown", ["accuracy", "baseline", "low"])
def test_a_labeller_of_which_something_was_not_measured_is_not_judged(unknown: str) -> None:
    row = {"model_id": "m", "label_count": 4, **MEASURED, unknown: None}
    assert "How good the labels of m are was never measured." in told(LABELLERS=[row])


def test_a_model_of_several_revisions_is_named_once() -> None:
    rows = [{"model_id": name, "label_count": 1, **MEASURED} for name in ("m", "n", "m")]
    said = told(LABELLERS=rows, LABELS=[{"clip_count": 4, "human_count": 1}])
    assert "and m and n the other 3." in said
