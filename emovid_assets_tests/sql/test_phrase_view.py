"""Caption phrases: what is counted, what splits the text, what is left out, against a loop in Python."""

from collections import defaultdict
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets_tests.sql.conftest import Library
from emovid_assets_tests.sql.planting import label


def _plant(library: Library, captions: list[tuple[str, str]]) -> None:
    library.clear()
    library.plant(
        "captions",
        [{"domain": "movie", "clip_id": f"clip-{i}", "caption": text} for i, (_, text) in enumerate(captions)],
    )
    library.plant("emotion_labels", [label(f"clip-{i}", "movie", emotion) for i, (emotion, _) in enumerate(captions)])


def _phrases(library: Library, emotion: str = "fear") -> list[tuple[str, int]]:
    rows = library.query(f"from caption_phrases where emotion = '{emotion}' order by rank")
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["word_count"] == len(row["phrase"].split()) for row in rows)
    return [(row["phrase"], row["caption_count"]) for row in rows]


def test_a_phrase_counts_once_per_caption(library: Library) -> None:
    _plant(library, [("fear", "Dark tunnel. Dark tunnel. Dark tunnel."), ("fear", "Another dark tunnel!")])
    assert _phrases(library) == [("dark tunnel", 2)]


def test_stop_words_split_the_text_and_invent_no_phrase(library: Library) -> None:
    _plant(library, [("fear", "bread and butter knife")])
    assert _phrases(library) == [("butter knife", 1)]


def test_punctuation_splits_the_text(library: Library) -> None:
    _plant(library, [("fear", "old house, broken door (left open) wide road")])
    found = [phrase for phrase, _ in _phrases(library)]
    assert sorted(found) == ["broken door", "left open", "old house", "wide road"]


def test_hyphens_and_apostrophes_within_a_word_belong_to_it(library: Library) -> None:
    _plant(library, [("fear", "dimly-lit attic"), ("fear", "the child’s toy"), ("fear", "they don’t move")])
    assert sorted(phrase for phrase, _ in _phrases(library)) == ["child's toy", "dimly-lit attic"]


def test_a_number_is_one_word_with_what_stands_behind_its_point(library: Library) -> None:
    _plant(
        library, [("fear", "A clip of 0.7 seconds."), ("fear", "1,200 people"), ("fear", "Wall 7, floor 3.5mm-thick")]
    )
    found = sorted(phrase for phrase, _ in _phrases(library))
    assert found == ["0.7 seconds", "1,200 people", "floor 3.5mm-thick", "wall 7"]


def test_words_of_any_script_are_words(library: Library) -> None:
    _plant(library, [("fear", "Ein düsterer Flur")])
    assert _phrases(library) == [("ein düsterer flur", 1)]


def test_a_phrase_is_left_out_only_within_a_longer_one_of_the_same_count(library: Library) -> None:
    _plant(library, [("fear", "long dark tunnel")] * 2 + [("fear", "dark tunnel")])
    assert _phrases(library) == [("dark tunnel", 3), ("long dark tunnel", 2)]


def test_the_words_of_the_own_emotion_are_boilerplate_those_of_others_are_not(library: Library) -> None:
    text = 'Cold rain falling. The video is in the "fear" emotion. Fearful faces, deep sadness.'
    _plant(library, [("fear", text), ("sadness", text)])
    assert [phrase for phrase, _ in _phrases(library)] == ["cold rain falling", "deep sadness"]
    assert [phrase for phrase, _ in _phrases(library, "sadness")] == ["cold rain falling", "fearful faces"]


def test_captions_without_a_final_label_do_not_count(library: Library) -> None:
    library.plant("captions", [{"domain": "movie", "clip_id": "a", "caption": "dark tunnel"}])
    assert library.query("from caption_phrases") == []


def test_longer_phrases_fill_the_ranks_where_pairs_are_few(library: Library) -> None:
    _plant(library, [("fear", "red red"), ("fear", "red red red")])
    assert _phrases(library) == [("red red", 2), ("red red red", 1)]


def _expected(captions: list[list[str]]) -> list[tuple[str, int]]:
    """The definition, word by word, for captions whose only stop word is `the`."""
    holders = defaultdict(set)
    for number, words in enumerate(captions):
        for size in (2, 3, 4):
            for start in range(len(words) - size + 1):
                phrase = words[start : start + size]
                if "the" not in phrase:
                    holders[" ".join(phrase)].add(number)
    counts = {phrase: len(numbers) for phrase, numbers in holders.items()}
    kept = [
        phrase
        for phrase in counts
        if not any(
            f" {phrase} " in f" {longer} " and longer != phrase and counts[longer] >= counts[phrase]
            for longer in counts
        )
    ]
    kept.sort(key=lambda phrase: (-counts[phrase], -len(phrase.split()), phrase))
    return [(phrase, counts[phrase]) for phrase in kept[:5]]


@given(
    st.lists(
        st.lists(st.sampled_from(["the", "red", "ball", "rolls", "fast"]), min_size=1, max_size=14),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_five_phrases_are_those_of_the_definition(library: Library, captions: list[list[str]]) -> None:
    _plant(library, [("fear", " ".join(words)) for words in captions])
    assert _phrases(library) == _expected(captions)


@pytest.mark.parametrize("seed", range(8))
def test_the_five_phrases_are_right_among_hundreds(library: Library, seed: int) -> None:
    random = Random(seed)
    words = ["the", *(f"word{number}" for number in range(random.choice([4, 8, 15, 30])))]
    captions = [[random.choice(words) for _ in range(random.randint(1, 20))] for _ in range(40)]
    _plant(library, [("fear", " ".join(caption)) for caption in captions])
    assert _phrases(library) == _expected(captions)


def _log_odds(counts: np.ndarray, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Monroe, Colaresi and Quinn's δ and z of a row of a matrix of counts, emotion × phrase."""
    mine, rest = counts[row], counts.sum(0) - counts[row]
    prior = counts.sum(0) / 8

    def log_odds(part: np.ndarray) -> np.ndarray:
        posterior = part + prior
        return np.log(posterior / (posterior.sum() - posterior))

    delta = log_odds(mine) - log_odds(rest)
    return delta, delta / np.sqrt(1 / (mine + prior) + 1 / (rest + prior))


def test_distinctive_phrases_are_the_planted_ones_with_the_z_of_the_formula(library: Library) -> None:
    random = np.random.default_rng(1)
    common = ["wide shot", "bright light", "slow pan", "old street"]
    planted = {"fear": "dark tunnel", "awe": "huge mountain", "anger": "broken glass"}
    captions = []
    for emotion in EMOTION_NAMES:
        for _ in range(60):
            phrases = [phrase for phrase in common if random.random() < 0.5]
            phrases += [p for owner, p in planted.items() if random.random() < (0.5 if owner == emotion else 0.05)]
            captions.append((emotion, ", ".join(phrases) or "nothing"))
    _plant(library, captions)
    vocabulary = [*common, *planted.values()]
    counts = np.array(
        [[sum(p in text for e, text in captions if e == emotion) for p in vocabulary] for emotion in EMOTION_NAMES]
    )
    rows = library.query("from distinctive_phrases")
    for emotion, phrase in planted.items():
        first = next(row for row in rows if row["emotion"] == emotion)
        delta, z = _log_odds(counts, EMOTION_NAMES.index(emotion))
        position = vocabulary.index(phrase)
        assert (first["rank"], first["phrase"], first["word_count"]) == (1, phrase, 2)
        assert first["caption_count"] == counts[EMOTION_NAMES.index(emotion), position]
        assert first["caption_count"] + first["other_caption_count"] == counts[:, position].sum()
        assert (first["log_odds_ratio"], first["z_score"]) == pytest.approx((delta[position], z[position]))
    expected = {
        (emotion, phrase)
        for row, emotion in enumerate(EMOTION_NAMES)
        for phrase, z in zip(vocabulary, _log_odds(counts, row)[1], strict=True)
        if z > 1.96
    }
    assert {(row["emotion"], row["phrase"]) for row in rows} == expected


def test_a_phrase_that_all_emotions_share_is_not_distinctive(library: Library) -> None:
    _plant(library, [(emotion, "wide shot, slow pan") for emotion in EMOTION_NAMES for _ in range(20)])
    assert library.query("from distinctive_phrases") == []


def test_the_words_of_any_emotion_are_not_distinctive(library: Library) -> None:
    captions = [("fear", "angry man, dark tunnel")] * 20 + [("awe", "huge mountain, fearful face")] * 20
    _plant(library, captions)
    phrases = {row["phrase"] for row in library.query("from distinctive_phrases")}
    assert phrases == {"dark tunnel", "huge mountain"}


def test_the_longest_of_nested_distinctive_phrases_stands_for_all(library: Library) -> None:
    captions = [("fear", "long dark tunnel, wide shot")] * 20 + [("awe", "huge mountain, wide shot")] * 20
    _plant(library, captions)
    rows = library.query("from distinctive_phrases where emotion = 'fear'")
    assert [row["phrase"] for row in rows] == ["long dark tunnel"]


def _plant_counts(library: Library, counts: dict[str, int]) -> set[str]:
    """Captions of fear in which each phrase is as often as said, and which phrases are kept of them."""
    _plant(library, [("fear", ", ".join(p for p in counts if counts[p] > number)) for number in range(6)])
    return {row["phrase"] for row in library.query("from caption_phrase_counts")}


def _numbered(count: int) -> list[str]:
    return [f"dark tunnel{number}" for number in range(count)]


def test_phrases_as_frequent_as_the_two_hundredth_are_kept(library: Library) -> None:
    often = dict.fromkeys(_numbered(200), 2)
    assert _plant_counts(library, {**often, "open door": 1}) == set(often)
    few = dict.fromkeys(_numbered(199), 2)
    assert _plant_counts(library, {**few, "open door": 1, "old house": 1}) == {*few, "open door", "old house"}


def test_a_phrase_of_three_captions_is_kept_below_the_two_hundredth_too(library: Library) -> None:
    often = dict.fromkeys(_numbered(200), 5)
    assert _plant_counts(library, {**often, "open door": 3, "broken glass": 2}) == {*often, "open door"}
