"""Which clips are held out, in which order the others come, and how much each counts."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.labelling import NotEnoughLabelsError
from emovid_assets.core.vlm.exchange import ClipRequest
from emovid_assets.core.vlm.training_set import (
    LARGEST_WEIGHT,
    Example,
    class_weights,
    divided,
    in_epoch,
    require_enough,
)

REQUEST = ClipRequest("clip.mp4", (0.5,), 32, "Which?")


def example(number, emotion="fear", group=None):
    return Example(f"clip-{number:05d}", REQUEST, emotion, f"g-{number if group is None else group}", f"{number:064x}")


def library(seed, count, groups):
    chance = random.Random(seed)
    return [example(n, chance.choice(EMOTION_NAMES), chance.randrange(groups)) for n in range(count)]


def ids(examples):
    return [one.clip_id for one in examples]


@given(st.integers(0, 500), st.integers(0, 120), st.integers(1, 80), st.floats(0.05, 0.5))
def test_every_clip_is_on_one_side_with_all_of_its_group(seed, count, groups, share):
    examples = library(seed, count, groups)
    parts = divided(examples, share=share, seed="s")
    assert sorted(ids(parts.training) + ids(parts.held_out)) == sorted(ids(examples))
    assert not {one.group_id for one in parts.training} & {one.group_id for one in parts.held_out}
    assert len(parts.held_out) <= 2 * share * count


@pytest.mark.parametrize("seed", range(5))
def test_single_clips_are_held_out_in_the_same_share_of_each_emotion(seed):
    examples = library(seed, 800, 10**9)
    parts = divided(examples, share=0.2, seed=f"{seed}")
    whole, held_out = (Counter(one.emotion for one in some) for some in (examples, parts.held_out))
    assert all(held_out[name] == round(0.2 * whole[name]) for name in EMOTION_NAMES)


def test_a_rare_emotion_stands_on_both_sides():
    examples = [*(example(n, "fear") for n in range(50)), example(90, "awe"), example(91, "awe")]
    parts = divided(examples, share=0.1, seed="s")
    assert Counter(one.emotion for one in parts.held_out)["awe"] == 1
    assert Counter(one.emotion for one in parts.training)["awe"] == 1


def test_new_clips_move_at_most_one_other_group_of_their_emotion():
    before = library(1, 300, 10**9)
    held = set(ids(divided(before, share=0.2, seed="s").held_out))
    for number in range(1000, 1030):
        after = set(ids(divided([*before, example(number, "awe")], share=0.2, seed="s").held_out))
        assert len(after ^ held - {f"clip-{number:05d}"}) <= 2


def test_the_order_of_the_examples_does_not_matter():
    examples = library(2, 100, 40)
    shuffled = random.Random(3).sample(examples, 100)
    assert divided(examples, share=0.3, seed="s") == divided(shuffled, share=0.3, seed="s")


def test_one_long_film_does_not_take_the_training_set_with_it():
    examples = [*(example(n, "fear", 0) for n in range(80)), *(example(100 + n, "fear") for n in range(20))]
    for seed in range(20):
        parts = divided(examples, share=0.2, seed=f"{seed}")
        assert len(parts.training) >= 80
        assert parts.held_out


@pytest.mark.parametrize(
    ("examples", "minimum", "said"),
    [
        ([], 16, "at least 16 .* there are 0 of 0 emotions from 0 sources"),
        ([example(n, EMOTION_NAMES[n % 8]) for n in range(15)], 16, "there are 15 of 8 emotions from 15 sources"),
        ([example(n, "fear") for n in range(40)], 16, "there are 40 of 1 emotions"),
        (
            [example(n, EMOTION_NAMES[n % 8], 0) for n in range(40)],
            16,
            "40 of 8 emotions from 1 sources, 0 of them held",
        ),
    ],
)
def test_too_little_to_learn_from_is_refused_with_what_there_is_and_what_is_needed(examples, minimum, said):
    parts = divided(examples, share=0.2, seed="s")
    with pytest.raises(NotEnoughLabelsError, match=said):
        require_enough(examples, parts, minimum)


def test_enough_is_enough():
    examples = [example(n, EMOTION_NAMES[n % 2]) for n in range(16)]
    require_enough(examples, divided(examples, share=0.2, seed="s"), 16)


def test_weights_make_the_emotions_count_alike_and_the_clips_one_on_average():
    examples = [*(example(n, "fear") for n in range(30)), *(example(50 + n, "awe") for n in range(10))]
    weights = class_weights(examples)
    assert 30 * weights["fear"] == pytest.approx(10 * weights["awe"])
    assert sum(weights[one.emotion] for one in examples) == pytest.approx(40)


def test_the_weight_of_a_very_rare_emotion_is_limited():
    examples = [*(example(n, "fear") for n in range(999)), example(1000, "awe")]
    weights = class_weights(examples)
    assert weights["awe"] / weights["fear"] == pytest.approx(LARGEST_WEIGHT)


def test_every_epoch_has_all_clips_in_an_order_of_its_own_that_new_clips_do_not_change():
    examples = library(4, 50, 50)
    first, second = (ids(in_epoch(examples, epoch, "s")) for epoch in (0, 1))
    assert first != second
    assert sorted(first) == sorted(second) == sorted(ids(examples))
    more = ids(in_epoch([*examples, example(999)], 0, "s"))
    assert [one for one in more if one != "clip-00999"] == first
