import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.vlm.top_tokens import (
    MOST_OPEN,
    Position,
    UnusableAnswerError,
    averaged,
    logarithms,
    read_letters,
    read_words,
    rotated,
)

NAMES = list(EMOTION_NAMES)


def position(probabilities: dict[str, float], token: str | None = None) -> Position:
    told = [(name, math.log(probability)) for name, probability in probabilities.items()]
    return Position(token if token is not None else next(iter(probabilities)), told)


def as_names(reading_probabilities: object) -> dict[str, float]:
    return dict(zip(NAMES, reading_probabilities, strict=True))  # type: ignore[call-overload]


@given(
    weights=st.lists(st.floats(0.01, 1.0), min_size=8, max_size=8),
    other=st.just(0.0) | st.floats(1e-6, 4.0),
    spelling=st.sampled_from(["{}", " {}", "Ġ{}", "▁{}", "{}\n"]),
    rotation=st.integers(0, 7),
    seed=st.integers(0, 99),
)
def test_letters_that_are_all_told_give_their_shares_whatever_their_spelling_order_and_rotation(
    weights: list[float], other: float, spelling: str, rotation: int, seed: int
) -> None:
    total = math.fsum(weights) + other
    order = rotated(rotation, 8)
    told = [(spelling.format("ABCDEFGH"[place]), weight / total) for place, weight in enumerate(weights)]
    if other:
        told.append(("The", other / total))
    random.Random(seed).shuffle(told)
    assume(math.fsum(weights) / total >= 0.05)
    reading = read_letters(position(dict(told)), order)
    expected = {order[place]: weight / math.fsum(weights) for place, weight in enumerate(weights)}
    assert as_names(reading.probabilities) == pytest.approx(expected, abs=1e-9)
    assert reading.mass == pytest.approx(math.fsum(weights) / total, abs=1e-9)
    assert reading.open_share == 0.0
    assert math.fsum(math.exp(value) for value in logarithms(reading)) == pytest.approx(1.0)


def test_spellings_of_a_letter_are_one_answer() -> None:
    told = {"A": 0.2, " A": 0.1, "ĠA": 0.05, "a": 0.05, "B": 0.4} | dict.fromkeys("CDEFGH", 0.03)
    probabilities = as_names(read_letters(position(told), NAMES).probabilities)
    assert probabilities["amusement"] == pytest.approx(0.4 / 0.98)
    assert probabilities["awe"] == pytest.approx(0.4 / 0.98)


def test_a_letter_that_is_not_told_gets_the_least_that_is_or_its_part_of_what_is_left() -> None:
    told = {"A": 0.5, "B": 0.3, "C": 0.1, "D": 0.05, "E": 0.02, "The": 0.02, "So": 0.002}
    reading = read_letters(position(told), NAMES)
    # 0.008 are left for three letters: less than the 0.002 each that the least token allows would be 0.006.
    bound = 0.002
    total = 0.97 + 3 * bound
    assert as_names(reading.probabilities)["sadness"] == pytest.approx(bound / total)
    assert as_names(reading.probabilities)["amusement"] == pytest.approx(0.5 / total)
    assert reading.open_share == pytest.approx(3 * bound / total)
    left = read_letters(position({"A": 0.6, "B": 0.3, "C": 0.097}), NAMES)
    assert as_names(left.probabilities)["fear"] == pytest.approx(0.003 / 5 / (0.997 + 0.003), rel=1e-3)


@given(st.lists(st.floats(0.001, 1.0), min_size=30, max_size=30), st.integers(1, 30), st.permutations(range(30)))
def test_no_probability_is_further_from_the_whole_truth_than_what_was_left_open(
    weights: list[float], count: int, places: list[int]
) -> None:
    total = math.fsum(weights)
    tokens = [*"ABCDEFGH", *(f"other{n}" for n in range(22))]
    everything = {tokens[place]: weight / total for place, weight in zip(places, weights, strict=True)}
    told = dict(sorted(everything.items(), key=lambda one: -one[1])[:count])
    try:
        reading = read_letters(position(told, token="other0"), NAMES)
    except UnusableAnswerError:
        return
    mass = math.fsum(everything[letter] for letter in "ABCDEFGH")
    for name, letter in zip(NAMES, "ABCDEFGH", strict=True):
        assert as_names(reading.probabilities)[name] == pytest.approx(everything[letter] / mass, abs=MOST_OPEN + 1e-9)


def test_the_token_that_was_written_by_chance_bounds_nothing() -> None:
    told = {"A": 0.55, "B": 0.35, "C": 0.06, "Zebra": 1e-7}
    reading = read_letters(position(told, token="Zebra"), NAMES)
    assert reading.open_share == pytest.approx(0.04, rel=0.01)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"The": 0.98, "A": 0.01, "B": 0.005}, "have probability 0.015 together; the likeliest token is 'The'"),
        ({"A": 0.3, "B": 0.2, "C": 0.1}, "only 3 of the eight letters are among the 3 likeliest tokens"),
        ({"I": 0.9}, "the eight letters have probability 0 together"),
        ({}, "no log-probabilities"),
    ],
)
def test_letters_that_determine_no_distribution_are_refused(told: dict[str, float], words: str) -> None:
    with pytest.raises(UnusableAnswerError, match=words):
        read_letters(position(told, token="x"), NAMES)


def test_rotations_are_spread_evenly_and_average_out_a_liking_for_a_place() -> None:
    assert [rotated(n, 2)[0] for n in range(2)] == ["amusement", "anger"]
    assert [rotated(n, 8)[0] for n in range(8)] == NAMES
    assert rotated(0, 1) == NAMES
    by_place = position({letter: 0.5**place for place, letter in enumerate("ABCDEFGH", start=1)})
    reading = averaged([read_letters(by_place, rotated(n, 8)) for n in range(8)])
    assert list(reading.probabilities) == pytest.approx([0.125] * 8)


def test_words_are_told_apart_by_their_first_tokens() -> None:
    told = {"am": 0.1, "amusement": 0.1, " aw": 0.1, "Content": 0.2, "ex": 0.1, "ang": 0.1, "dis": 0.1, "f": 0.1}
    reading = read_words([position(told | {"sad": 0.1}, token="f"), position({"ear": 1.0})], "fear")
    assert as_names(reading.probabilities) == pytest.approx(
        dict.fromkeys(NAMES, 0.1) | {"amusement": 0.2, "contentment": 0.2}
    )
    assert reading.mass == pytest.approx(1.0)


def test_a_beginning_of_several_words_is_shared_out_by_the_token_after_it() -> None:
    first = position({"a": 0.8, "sad": 0.1, "fear": 0.1}, token="a")
    second = position({"we": 0.75, "m": 0.125, "nger": 0.125}, token="we")
    probabilities = as_names(read_words([first, second], "awe").probabilities)
    assert probabilities["awe"] == pytest.approx(0.6, abs=1e-6)
    assert probabilities["amusement"] == probabilities["anger"] == pytest.approx(0.1, abs=1e-6)
    assert probabilities["excitement"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("positions", "text", "words"),
    [
        ([position({"sad": 0.5, "a": 0.5}, token="sad")], "sadness", "begin several of the words have probability 0.5"),
        ([position({"sad": 1.0})], "It is sad", "asked for one of eight words and wrote 'It is sad'"),
        ([], "sadness", "no log-probabilities"),
        ([Position("sadness", [])], "sadness", "no log-probabilities"),
        ([position({"sadness": 0.9}, token="sadness")], "sadness", "only 1 of the eight words"),
    ],
)
def test_words_that_determine_no_distribution_are_refused(positions: list[Position], text: str, words: str) -> None:
    with pytest.raises(UnusableAnswerError, match=words):
        read_words(positions, text)
