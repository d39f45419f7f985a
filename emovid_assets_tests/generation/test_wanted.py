"""Which videos are wanted, their ids and the numbers that they begin with; how families round frames."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.core.generation.frame_counts import frames_made, rounding_told
from emovid_assets.core.generation.wanted import (
    CHARACTER_CAPTION,
    Character,
    of_benchmark,
    of_characters,
    prompt_sha256,
    random_seed,
    video_id,
)

ROWS = [
    {"clip_id": "a", "split": "benchmark", "emotion": "awe", "prompt": "one", "first_frame_path": "a.png"},
    {"clip_id": "b", "split": "benchmark", "emotion": "fear", "prompt": "one", "first_frame_path": None},
    {"clip_id": "c", "split": "train", "emotion": "fear", "prompt": "two", "first_frame_path": "c.png"},
]


def test_the_benchmark_gives_a_video_a_clip_and_seed_and_only_with_a_first_frame_where_one_is_needed() -> None:
    text = [(one.clip_id, one.seed, one.first_frame_path) for one in of_benchmark(ROWS, "g", "t2v", (0, 5))]
    assert text == [("a", 0, None), ("a", 5, None), ("b", 0, None), ("b", 5, None)]
    picture = [(one.clip_id, one.seed, one.first_frame_path) for one in of_benchmark(ROWS, "g", "i2v", (0,))]
    assert picture == [("a", 0, "a.png")]


def test_a_character_without_a_description_is_a_sticker_of_this_character() -> None:
    found = list(of_characters([Character("cat.png", "library/characters/cat.png")], "g", "i2v", (0,)))
    assert len(found) == 8
    assert found[0].prompt == f'{CHARACTER_CAPTION} The video is in the "amusement" emotion.'
    assert list(of_characters([Character("cat.txt", None, "a cat")], "g", "i2v", (0,))) == []


def test_clips_of_one_prompt_begin_with_the_same_noise_and_have_ids_of_their_own() -> None:
    one, two = of_benchmark(ROWS, "g", "t2v", (0,))
    assert one.prompt == two.prompt
    assert random_seed(one.prompt, 0) == random_seed(two.prompt, 0)
    assert one.video_id != two.video_id
    assert one.prompt_sha256 == hashlib.sha256(b"one").hexdigest()


@given(st.text(), st.integers(-(2**63), 2**63))
def test_random_numbers_start_from_prompt_and_seed_alone(prompt: str, seed: int) -> None:
    found = random_seed(prompt, seed)
    assert 0 <= found < 2**63
    assert found == random_seed(prompt, seed) != random_seed(prompt, seed + 1)
    assert found != random_seed(prompt + " ", seed)


@given(st.lists(st.tuples(*[st.sampled_from(["", "a", "b", "a\nb"])] * 4, st.integers(0, 3)), unique=True))
def test_an_id_is_that_of_one_video(parts: list[tuple[str, str, str, str, int]]) -> None:
    # A name is one line.
    parts = [one for one in parts if "\n" not in "".join(one[:3])]
    ids = {video_id(*one) for one in parts}
    assert len(ids) == len(parts)
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in ids)
    assert len(prompt_sha256("\ud800")) == 64


@pytest.mark.parametrize("family", ["WanPipeline", "CogVideoXPipeline", "HunyuanVideoPipeline", "LTXPipeline"])
def test_a_rounding_is_told_with_the_next_number_that_comes_as_asked(family: str) -> None:
    for asked in range(1, 130):
        told, made = rounding_told(family, asked), frames_made(family, asked)
        assert (told is None) == (made == asked)
        if told is not None:
            exact = int(told.rpartition("; ")[2].split()[0])
            assert exact > asked
            assert frames_made(family, exact) == exact
    assert [frames_made(family, n) == n for n in (81, 129)] == [True, True]


def test_of_a_family_that_is_not_known_nothing_is_said() -> None:
    assert frames_made("MochiPipeline", 10) is None
    assert rounding_told("MochiPipeline", 10) is None
    assert rounding_told("HunyuanVideoImageToVideoPipeline", 9) == (
        "HunyuanVideoImageToVideoPipeline makes 5 frames where 9 are asked for"
    )
