"""What people and their programs write into cells, and what is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.cells import CellError, number, told, whole, word, yes_or_no
from emovid_assets.core.emotions import HUMAN_CHOICES


@pytest.mark.parametrize(
    ("written", "meant"), [("3", 3), ("3.0", 3), ("3,0", 3), (" 12 ", 12), ("-2", -2), ("1e2", 100)]
)
def test_whole_numbers(written: str, meant: int) -> None:
    assert whole(written) == meant


@pytest.mark.parametrize("written", ["", "3.5", "third", "nan", "inf", "²", "1_000", "1,234", "1e99", "0x10", "1e999"])
def test_what_is_no_whole_number_says_the_form(written: str) -> None:
    with pytest.raises(CellError, match=r"^a whole number, such as 3$"):
        whole(written)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_as_python_writes_them(value: float) -> None:
    assert number(repr(value)) == value


@pytest.mark.parametrize(("written", "meant"), [("12,5", 12.5), ("0,125", 0.125), (".5", 0.5), ("7.", 7.0)])
def test_a_comma_may_be_the_point_of_decimals(written: str, meant: float) -> None:
    assert number(written) == meant


def test_a_comma_that_may_be_one_of_thousands_is_asked_about() -> None:
    with pytest.raises(CellError, match=r"is 1234 or 1.234 meant"):
        number("1,234")


@pytest.mark.parametrize("written", ["yes", "Yes", "TRUE", "1", "1.0", "y", " true "])
def test_yes(written: str) -> None:
    assert yes_or_no(written)


@pytest.mark.parametrize("written", ["no", "No", "FALSE", "0", "0.0", "n"])
def test_no(written: str) -> None:
    assert not yes_or_no(written)


def test_what_is_neither_is_named_with_the_words() -> None:
    with pytest.raises(CellError) as caught:
        yes_or_no("maybe\x1b[2J")
    said = told("is_audio_expected", "maybe\x1b[2J", caught.value)
    assert said == "`is_audio_expected` is 'maybe\\x1b[2J', not one of yes, no"


@given(st.sampled_from(HUMAN_CHOICES), st.sampled_from([str.upper, str.title, str.lower]), st.sampled_from("_ -"))
def test_labels_are_known_as_the_screen_shows_them(label: str, case: object, blank: str) -> None:
    assert callable(case)
    assert word(f" {case(label).replace('_', blank)} ", HUMAN_CHOICES) == label
