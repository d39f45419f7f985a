"""The embedded labeller: a random forest over measured features.

Belongs here: the feature vector, training with honest validation, scoring. It is no vision-language model
and does not pretend to be one; it needs neither download nor GPU, and makes the chain real on a laptop.

The forest is stored as plain arrays, never as a pickle: a model folder is data that can be read safely, by any
version of scikit-learn or by none.
"""

import hashlib
import json
import math
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emovid_assets.core.domains import DOMAINS
from emovid_assets.core.emotions import EMOTION_NAMES, first_of_most
from emovid_assets.core.labelling import ClipEvidence, LabelledClip, LabelScore, NotEnoughLabelsError, TrainingReport
from emovid_assets.core.statistics.confusion import confusion, macro_f1
from emovid_assets.core.video.sound import BAND_EDGES_HZ, FLOOR_DB

MODEL_ID, BASE_MODEL = "embedded/random-forest", "none"
VERSION = "1"
MAX_FOLDS = 5
TREE_COUNT = 300
LEAF = -1
"""Child index of a leaf (scikit-learn's TREE_LEAF)."""
_CLIPS_AT_ONCE = 1024
_BAND_COUNT = len(BAND_EDGES_HZ) - 1


def feature_vector(clip: ClipEvidence) -> np.ndarray:
    """float64 (53,): `measured_features` (50) and which domain it is (3)."""
    return np.concatenate([measured_features(clip), [float(clip.domain == domain) for domain in DOMAINS]])


def measured_features(clip: ClipEvidence) -> np.ndarray:
    """float64 (50,): palette (28), colour means (4), motion (3), length and rhythm (2), sound (13).

    Shares enter as square roots (Hellinger), times and frequencies as logarithms. Clips without sound get the
    floor level and zero bands, and say so in a flag.
    """
    row, colour = clip.features, clip.colour
    hue = math.radians(colour["hue_chromatic_deg"] or 0.0)
    weight = colour["chromatic_share"] * colour["colorfulness_mean"]
    has_sound = row["loudness_db"] is not None
    bands = row["band_shares"] or [0.0] * _BAND_COUNT
    values = [
        *np.sqrt(row["colour_histogram"]),
        colour["brightness_mean"],
        colour["colorfulness_mean"],
        weight * math.cos(hue),
        weight * math.sin(hue),
        math.sqrt(row["motion_mean"]),
        math.sqrt(row["motion_sd"]),
        math.sqrt(row["motion_peak"]),
        math.log(max(row["duration_s"], 0.1)),
        row["cut_rate_hz"],
        float(has_sound),
        (row["loudness_db"] if has_sound else FLOOR_DB) / 20,
        (row["loudness_sd_db"] or 0.0) / 20,
        math.log1p(row["spectral_centroid_hz"] or 0.0),
        row["silence_share"] if has_sound else 1.0,
        *np.sqrt(bands),
    ]
    return np.asarray(values, np.float64)


@dataclass(frozen=True)
class EmbeddedLabeller:
    """A trained forest. `classes` are the emotions that it has seen; all trees lie in the same arrays.

    `roots` (trees,) index the nodes; per node: `feature` and `threshold` of its question, `left` and `right` child
    (`LEAF` for leaves), `share` (nodes, classes) of the training clips that reached it.
    """

    classes: tuple[str, ...]
    roots: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    share: np.ndarray
    revision: str
    model_id: str = MODEL_ID
    base_model: str = BASE_MODEL
    prompt_sha256: str | None = None

    def score(self, clips: Sequence[ClipEvidence]) -> list[LabelScore]:
        """One distribution per clip, the mean over the trees; emotions absent from the training data get 0."""
        if not clips:
            return []
        # scikit-learn asks its questions in float32; anything else would answer ties differently.
        features = np.stack([feature_vector(clip) for clip in clips]).astype(np.float32)
        blocks = (features[first : first + _CLIPS_AT_ONCE] for first in range(0, len(features), _CLIPS_AT_ONCE))
        shares = np.concatenate([self._distributions(block) for block in blocks])
        return [
            LabelScore(
                probabilities=dict.fromkeys(EMOTION_NAMES, 0.0) | dict(zip(self.classes, map(float, row), strict=True)),
                frame_pts_s=list(clip.features["sampled_pts_s"]),
            )
            for clip, row in zip(clips, shares, strict=True)
        ]

    def _distributions(self, rows: np.ndarray) -> np.ndarray:
        """float64 (clips, classes): walks all trees at once, one level a step; who has reached a leaf stays there."""
        nodes = np.repeat(self.roots[None], len(rows), axis=0).ravel()
        clips = np.repeat(np.arange(len(rows)), len(self.roots))
        walking = np.arange(len(nodes))
        while len(walking := walking[self.left[nodes[walking]] != LEAF]):
            here = nodes[walking]
            goes_left = rows[clips[walking], self.feature[here]] <= self.threshold[here]
            nodes[walking] = np.where(goes_left, self.left[here], self.right[here])
        # Tree by tree, as the sum of one clip alone would be: the last bits do not depend on the block.
        total = np.zeros((len(rows), len(self.classes)))
        for of_tree in nodes.reshape(len(rows), -1).T:
            total += self.share[of_tree]
        return total / len(self.roots)

    def save(self, folder: Path) -> None:
        """Writes `labeller.npz` (arrays) into the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "labeller.npz").open("wb") as file:
            np.savez_compressed(file, **{name: getattr(self, name) for name in _ARRAYS})
        about = {"classes": self.classes, "revision": self.revision, "model_id": self.model_id}
        (folder / "labeller.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "EmbeddedLabeller":
        about = json.loads((folder / "labeller.json").read_text(encoding="utf-8"))
        with np.load(folder / "labeller.npz", allow_pickle=False) as arrays:
            return cls(classes=tuple(about["classes"]), revision=about["revision"], **dict(arrays))


_ARRAYS = ("roots", "feature", "threshold", "left", "right", "share")


def training_config() -> dict[str, Any]:
    """What, besides the data, the result depends on."""
    return {
        "version": VERSION,
        "model": "random forest (scikit-learn), balanced classes",
        "trees": TREE_COUNT,
        "validation": f"stratified folds that keep groups together, at most {MAX_FOLDS}",
    }


def train(examples: Sequence[LabelledClip], *, minimum: int) -> tuple[EmbeddedLabeller, TrainingReport]:
    """Trains on all examples, and judges by `validated`. Raises as `forest_of`."""
    return forest_of(examples, minimum=minimum), validated(examples, minimum=minimum)


def forest_of(examples: Sequence[LabelledClip], *, minimum: int) -> EmbeddedLabeller:
    """The labeller, trained on all examples.

    Raises NotEnoughLabelsError for fewer than `minimum` examples, a single emotion or a single group.
    """
    ordered, features, labels = _learnable(examples, minimum)
    return _as_arrays(_fit(features, labels), _revision(ordered, features))


def validated(examples: Sequence[LabelledClip], *, minimum: int) -> TrainingReport:
    """Its quality by cross-validation by group, beside the majority-class baseline. Raises as `forest_of`."""
    return _validate(*_learnable(examples, minimum))


def revisions_of(examples: Sequence[LabelledClip], *, minimum: int) -> tuple[str, str]:
    """The revision that `forest_of` gives, and one of `validated`, which goes by groups too: equal ones, equal results.

    Nothing is trained. Raises as `forest_of`.
    """
    ordered, features, _ = _learnable(examples, minimum)
    forest = _revision(ordered, features)
    groups = "\n".join(example.group_id for example in ordered)
    return forest, hashlib.sha256(f"{forest}\n{groups}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _learnable(examples: Sequence[LabelledClip], minimum: int) -> tuple[list[LabelledClip], np.ndarray, np.ndarray]:
    """The examples by clip, their features (clips, 53) and labels (clips,)."""
    emotions = sorted({example.emotion for example in examples}, key=EMOTION_NAMES.index)
    group_count = len({example.group_id for example in examples})
    is_varied = len(emotions) > 1 and group_count > 1 and _fold_count(examples) > 1
    if len(examples) < minimum or not is_varied:
        raise NotEnoughLabelsError(
            f"The labeller needs at least {minimum} human-labelled clips of two emotions from two sources, and an "
            f"emotion with two clips; it may learn from {len(examples)} of {len(emotions)} emotions from {group_count} "
            f"sources."
        )
    ordered = sorted(examples, key=lambda example: example.evidence.clip_id)
    features = np.stack([feature_vector(example.evidence) for example in ordered])
    return ordered, features, np.array([example.emotion for example in ordered])


def _fit(features: np.ndarray, labels: np.ndarray) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(TREE_COUNT, class_weight="balanced", random_state=0)
    return forest.fit(features, labels)


def _as_arrays(forest: Any, revision: str) -> EmbeddedLabeller:
    """All trees in one set of arrays; children are shifted to where their tree begins."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])

    def shifted(children: np.ndarray, root: int) -> np.ndarray:
        return np.where(children == LEAF, LEAF, children + root)

    return EmbeddedLabeller(
        classes=tuple(str(name) for name in forest.classes_),
        roots=roots,
        feature=np.concatenate([tree.feature for tree in trees]),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        left=np.concatenate([shifted(tree.children_left, root) for tree, root in zip(trees, roots, strict=True)]),
        right=np.concatenate([shifted(tree.children_right, root) for tree, root in zip(trees, roots, strict=True)]),
        share=np.concatenate([tree.value[:, 0, :] for tree in trees]),
        revision=revision,
    )


def _fold_count(examples: Sequence[LabelledClip]) -> int:
    """Folds that the data allow: no more than groups, and than clips of the most frequent emotion."""
    most_frequent = max(Counter(example.emotion for example in examples).values(), default=0)
    return min(MAX_FOLDS, len({example.group_id for example in examples}), most_frequent)


def _validate(examples: Sequence[LabelledClip], features: np.ndarray, labels: np.ndarray) -> TrainingReport:
    from sklearn.model_selection import StratifiedGroupKFold

    groups = np.array([example.group_id for example in examples])
    fold_count = _fold_count(examples)
    folds = StratifiedGroupKFold(n_splits=fold_count, shuffle=True, random_state=0)
    predicted, baseline = labels.copy(), labels.copy()
    with warnings.catch_warnings():
        # A rare emotion may be absent from a fold; it then counts as an error, which is what it is.
        warnings.simplefilter("ignore", UserWarning)
        for train_index, test_index in folds.split(features, labels, groups):
            majority = first_of_most(Counter(labels[train_index].tolist()))
            baseline[test_index] = majority
            is_single = len(set(labels[train_index])) == 1
            fold = None if is_single else _fit(features[train_index], labels[train_index])
            predicted[test_index] = majority if fold is None else _most_probable(fold, features[test_index])
    is_right = predicted == labels
    table = confusion(_codes(labels), _codes(predicted), len(EMOTION_NAMES))
    domains = np.array([example.evidence.domain for example in examples])
    return TrainingReport(
        training_clip_count=len(examples),
        accuracy=float(is_right.mean()),
        baseline_accuracy=float((baseline == labels).mean()),
        macro_f1=float(macro_f1(table)),
        confusion=table.tolist(),
        accuracy_by_domain={name: float(is_right[domains == name].mean()) for name in sorted(set(domains.tolist()))},
        fold_count=fold_count,
    )


def _most_probable(forest: Any, features: np.ndarray) -> list[str]:
    """As `LabelScore.emotion` chooses: scikit-learn's own `predict` gives ties to the first of the alphabet."""
    classes = [str(name) for name in forest.classes_]
    shares = forest.predict_proba(features).tolist()
    return [first_of_most(dict(zip(classes, row, strict=True))) for row in shares]


def _codes(emotions: np.ndarray) -> np.ndarray:
    return np.array([EMOTION_NAMES.index(name) for name in emotions])


def _revision(examples: Sequence[LabelledClip], features: np.ndarray) -> str:
    """16 hex digits of the training data and the configuration: equal training, equal revision on any machine."""
    digest = hashlib.sha256(json.dumps(training_config(), sort_keys=True).encode())
    for example, vector in zip(examples, features, strict=True):
        # Rounded, because the last bits of a logarithm may differ between processors.
        digest.update(f"{example.evidence.clip_id}|{example.emotion}|{np.round(vector, 6).tolist()}".encode())
    return digest.hexdigest()[:16]
