"""The embedded labeller: scikit-learn's own answer, honest validation, plain files."""

import math

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from emovid_assets.core import embedded_labeller
from emovid_assets.core.embedded_labeller import EmbeddedLabeller, feature_vector, train
from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.labelling import NotEnoughLabelsError
from emovid_assets_tests.core.evidence import evidence, labelled, random_clip, silent

pytestmark = pytest.mark.integration
TREES = 40


@pytest.fixture(autouse=True)
def small_forest(monkeypatch):
    """Fewer trees: the same code, a fraction of the time."""
    monkeypatch.setattr(embedded_labeller, "TREE_COUNT", TREES)


def learnable(count=160, emotions=EMOTION_NAMES, seed=0):
    """Clips whose brightness and loudness tell the emotion, up to noise."""
    random = np.random.default_rng(seed)
    examples = []
    for n in range(count):
        label = n % len(emotions)
        brightness = 0.1 + 0.25 * (label % 4) + random.normal(0, 0.02)
        loudness = -50 + 25 * (label // 4) + random.normal(0, 2)
        clip = random_clip(random, f"movie-{n:04d}", brightness_mean=brightness, loudness_db=loudness)
        examples.append(labelled(clip, emotions[label]))
    return examples


def shuffled(examples, seed=1):
    labels = np.random.default_rng(seed).permutation([example.emotion for example in examples])
    return [labelled(e.evidence, str(label), e.group_id) for e, label in zip(examples, labels, strict=True)]


@pytest.mark.parametrize("emotions", [EMOTION_NAMES, ("awe", "anger", "fear"), ("fear", "amusement")])
def test_scores_are_those_of_scikit_learns_own_forest(emotions):
    examples = learnable(96, emotions)
    labeller, _ = train(examples, minimum=16)
    features = np.stack([feature_vector(example.evidence) for example in examples])
    forest = RandomForestClassifier(TREES, class_weight="balanced", random_state=0)
    forest.fit(features, [example.emotion for example in examples])
    new = [random_clip(np.random.default_rng(n), f"movie-new-{n}") for n in range(20)]
    expected = forest.predict_proba(np.stack([feature_vector(clip) for clip in new]))
    scores = labeller.score(new)
    ours = np.array([[score.probabilities[name] for name in forest.classes_] for score in scores])
    assert np.abs(ours - expected).max() < 1e-12
    best = [forest.classes_[row == row.max()] for row in expected]
    assert all(score.emotion in names for score, names in zip(scores, best, strict=True))


def test_a_clip_gets_the_same_score_to_the_bit_whichever_clips_are_asked_with_it(monkeypatch):
    labeller, _ = train(learnable(60), minimum=16)
    new = [random_clip(np.random.default_rng(n), f"movie-new-{n}") for n in range(20)]
    alone = [labeller.score([clip])[0] for clip in new]
    monkeypatch.setattr(embedded_labeller, "_CLIPS_AT_ONCE", 7)
    assert labeller.score(new) == alone


def test_probabilities_cover_the_eight_and_sum_to_one():
    labeller, _ = train(learnable(60, ("awe", "fear")), minimum=16)
    (score,) = labeller.score([evidence()])
    assert list(score.probabilities) == list(EMOTION_NAMES)
    assert sum(score.probabilities.values()) == pytest.approx(1)
    assert score.probabilities["anger"] == 0
    assert (score.frame_pts_s, score.parse_status) == ([0.0, 0.8, 1.6], "scored")
    assert labeller.score([]) == []


def test_what_can_be_learnt_is_learnt():
    _, report = train(learnable(), minimum=16)
    assert report.baseline_accuracy < 0.2
    assert report.accuracy > 0.6
    assert report.macro_f1 > 0.6
    assert (report.training_clip_count, report.fold_count) == (160, 5)
    assert np.array(report.confusion).sum() == 160
    assert np.trace(report.confusion) / 160 == report.accuracy
    assert report.accuracy_by_domain == {"movie": report.accuracy}


def test_nothing_is_learnt_from_random_labels():
    accuracies = []
    for seed in range(2):
        _, report = train(shuffled(learnable(), seed), minimum=16)
        accuracies.append(report.accuracy)
    assert np.mean(accuracies) == pytest.approx(1 / 8, abs=0.07)


def test_copies_of_a_clip_within_its_group_do_not_flatter_the_accuracy():
    random = np.random.default_rng(3)
    examples = []
    for group in range(40):
        clip = random_clip(random, "x")
        emotion = EMOTION_NAMES[int(random.integers(8))]
        for copy in range(4):
            same = evidence(f"movie-{group:02d}-{copy}", **(dict(clip.features) | dict(clip.colour)))
            examples.append((same, emotion, group))
    _, honest = train([labelled(clip, emotion, f"g{group}") for clip, emotion, group in examples], minimum=16)
    _, leaking = train([labelled(clip, emotion) for clip, emotion, _ in examples], minimum=16)
    assert leaking.accuracy > 0.9
    assert honest.accuracy < 0.35


def test_the_baseline_is_the_majority_of_the_training_folds():
    examples = [
        labelled(random_clip(np.random.default_rng(n), f"movie-{n:03d}"), "awe" if n % 5 else "fear") for n in range(50)
    ]
    assert train(examples, minimum=16)[1].baseline_accuracy == 0.8


def test_an_emotion_with_a_single_clip_is_no_obstacle():
    examples = [*learnable(40, ("awe", "fear")), labelled(evidence("movie-z"), "disgust")]
    labeller, report = train(examples, minimum=16)
    assert set(labeller.classes) == {"awe", "fear", "disgust"}
    assert report.confusion[EMOTION_NAMES.index("disgust")][EMOTION_NAMES.index("disgust")] == 0


def test_two_groups_are_enough_for_two_folds():
    examples = [labelled(example.evidence, example.emotion, f"g{n % 2}") for n, example in enumerate(learnable(40))]
    assert train(examples, minimum=16)[1].fold_count == 2


def test_folds_are_no_more_than_the_clips_of_the_most_frequent_emotion():
    assert train(learnable(24), minimum=16)[1].fold_count == 3


@pytest.mark.parametrize(
    ("examples", "words"),
    [
        ([], "learn from 0 of 0 emotions from 0 sources"),
        (learnable(15), "at least 16 .* learn from 15 of 8 emotions"),
        (learnable(20, ("awe",)), "20 of 1 emotions from 20"),
        ([labelled(e.evidence, e.emotion, "one") for e in learnable(20)], "20 of 8 emotions from 1 "),
        (learnable(8), "an emotion with two clips; it may learn from 8 of 8 emotions from 8 sources"),
    ],
)
def test_too_little_to_learn_from_says_what_is_missing(examples, words):
    with pytest.raises(NotEnoughLabelsError, match=words):
        train(examples, minimum=16)


def test_a_saved_labeller_answers_as_before(tmp_path):
    labeller, _ = train(learnable(60), minimum=16)
    labeller.save(tmp_path / "model")
    loaded = EmbeddedLabeller.load(tmp_path / "model")
    clips = [random_clip(np.random.default_rng(n), f"movie-{n}") for n in range(5)]
    assert loaded.score(clips) == labeller.score(clips)
    assert (loaded.revision, loaded.classes, loaded.model_id) == (
        labeller.revision,
        labeller.classes,
        labeller.model_id,
    )


def test_the_revision_follows_the_data_and_not_its_order():
    examples = learnable(40)
    revision = train(examples, minimum=16)[0].revision
    assert train(examples[::-1], minimum=16)[0].revision == revision
    assert train(examples[:-1], minimum=16)[0].revision != revision
    relabelled = [*examples[:-1], labelled(examples[-1].evidence, "awe")]
    assert train(relabelled, minimum=16)[0].revision != revision


def test_the_feature_vector_means_what_it_says():
    vector = feature_vector(evidence(domain="sticker", duration_s=4.0))
    assert vector.shape == (53,)
    assert np.isfinite(vector).all()
    weight = 0.9 * 0.4
    assert vector[28:32] == pytest.approx(
        [0.5, 0.4, weight * math.cos(math.radians(10)), weight * math.sin(math.radians(10))]
    )
    assert vector[35] == pytest.approx(math.log(4))
    assert vector[-3:].tolist() == [0, 0, 1]


def test_a_clip_without_sound_or_colour_has_a_finite_vector_that_says_so():
    vector = feature_vector(silent(hue_chromatic_deg=None, chromatic_share=0.0, colorfulness_mean=0.0))
    assert np.isfinite(vector).all()
    assert vector[37] == 0
    assert vector[41] == 1
    assert vector[42:50].tolist() == [0] * 8
    assert feature_vector(evidence())[37] == 1
