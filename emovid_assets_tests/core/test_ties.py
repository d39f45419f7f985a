"""Of equals the first in EmoSet's order wins, wherever one emotion is chosen out of several."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.embedded_labeller import _most_probable
from emovid_assets.core.emotions import EMOTION_NAMES, HUMAN_CHOICES, first_of_most
from emovid_assets.core.labelling import LabelScore
from emovid_assets.core.vlm.evaluation import HeldOutAnswer, as_arrays
from emovid_assets.core.vlm.exchange import ClipRequest
from emovid_assets.core.vlm.training_set import Example, divided

ROOT = Path(__file__).resolve().parents[2]
few_values = st.lists(st.sampled_from([0.0, 0.1, 0.25]), min_size=8, max_size=8)


def first_by_hand(values):
    best = max(values)
    return next(name for name, value in zip(EMOTION_NAMES, values, strict=True) if value == best)


class Forest:
    """What is asked of scikit-learn's: classes by the alphabet."""

    classes_ = np.array(sorted(EMOTION_NAMES))

    def __init__(self, values):
        self._shares = dict(zip(EMOTION_NAMES, values, strict=True))

    def predict_proba(self, features):
        return np.array([[self._shares[name] for name in self.classes_]])


@given(few_values)
def test_every_way_to_choose_an_emotion_gives_ties_to_the_same_one(values):
    expected = first_by_hand(values)
    shares = dict(reversed(list(zip(EMOTION_NAMES, values, strict=True))))
    answer = HeldOutAnswer("c", "fear", values)
    assert first_of_most(shares) == expected
    assert LabelScore(shares, []).emotion == expected
    assert answer.answer == expected
    assert EMOTION_NAMES[as_arrays([answer])[0].argmax(axis=1)[0]] == expected
    assert _most_probable(Forest(values), np.zeros((1, 1))) == [expected]


def test_the_order_can_be_that_of_the_nine_choices_and_what_is_missing_counts_nothing():
    assert first_of_most({"no_specific_emotion": 1.0, "sadness": 1.0}, HUMAN_CHOICES) == "sadness"
    assert first_of_most({"no_specific_emotion": 2.0, "sadness": 1.0}, HUMAN_CHOICES) == "no_specific_emotion"
    assert first_of_most({}) == "amusement"


def test_a_group_of_two_emotions_is_of_the_first_one():
    request = ClipRequest("clip.mp4", (0.5,), 32, "Which?")
    # Sadness and awe once each, in every group: all of them are of awe, so that one group is chosen by in all.
    examples = [
        Example(f"clip-{number}", request, ("sadness", "awe")[number % 2], f"g-{number // 2}", "")
        for number in range(6)
    ]
    parts = divided(examples, share=0.5, seed="s")
    assert {example.group_id for example in parts.choosing} != set()
    assert len({example.group_id for example in parts.choosing}) == 1


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        # A tie in a vote is no majority; sentences and words are no emotions.
        (r"most_common\(", {"emovid_assets/core/voting.py"}),
        # A distribution of latents has a mode too.
        (r"(?<!latent_dist\.)\bmode\(|\bidxmax\(|arg_?max\((label|emotion|\w*_emotion)\b", set()),
        (r"max\(EMOTION_NAMES|max\(HUMAN_CHOICES", set()),
    ],
)
def test_no_other_way_to_choose_is_written(pattern, allowed):
    files = [*(ROOT / "emovid_assets").rglob("*.py"), *(ROOT / "sql").rglob("*.sql")]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if re.search(pattern, path.read_text(encoding="utf-8"), re.IGNORECASE)
    }
    assert found == allowed
