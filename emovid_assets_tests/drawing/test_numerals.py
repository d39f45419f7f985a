"""How numbers are written."""

from typing import Any

import pytest

from emovid_assets.drawing import numerals


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (numerals.count(22758), "22,758"),
        (numerals.count(None), "–"),
        (numerals.clips(1), "1 clip"),
        (numerals.clips(1200), "1,200 clips"),
        (numerals.number(-0.456), "−0.46"),
        (numerals.number(-0.001), "0.00"),
        (numerals.number(None), "–"),
        (numerals.short(1500.0), "1,500"),
        (numerals.short(-0.4), "−0.4"),
        (numerals.short(0.1 + 0.2), "0.3"),
        (numerals.percent(0.4855), "48.5\u202f%"),
        (numerals.percent(1.0, 0), "100\u202f%"),
        (numerals.interval(-0.1, 0.25), "[−0.10, 0.25]"),
        (numerals.interval(None, 0.2), "–"),
        (numerals.p_value(0.00005), "< 0.001"),
        (numerals.p_value(0.0312), "0.031"),
        (numerals.hours(39.06), "39.1\u202fh"),
        (numerals.hours(0.5), "30.0\u202fmin"),
        (numerals.hours(12 / 3600), "12\u202fs"),
        (numerals.size(788_200), "788.2\u202fkB"),
        (numerals.size(12), "12\u202fbytes"),
        (numerals.sample(1200), "n\u00a0=\u00a01,200"),
        (numerals.words(["a"]), "a"),
        (numerals.words(["a", "b", "c"]), "a, b and c"),
        (numerals.words(["a", "b", "c", "d", "e"]), "a, b, c and 2 more"),
        (numerals.words([]), "none"),
        (numerals.plain("no_specific_emotion"), "no specific emotion"),
    ],
)
def test_a_number_is_written_as_people_read_it(written: Any, wanted: str) -> None:
    assert written == wanted
