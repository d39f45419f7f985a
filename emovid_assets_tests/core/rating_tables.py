"""Rating tables for tests: {rater: labels by clip, None where missing}; the rater `vlm` is the model."""

import numpy as np

from emovid_assets.core.emotions import HUMAN_CHOICES


def ratings_of(table, clips_per_source=1):
    """The table as rows of `validation_ratings`."""
    return [
        {
            "clip_id": f"movie-{n // clips_per_source:05d}-{n:08d}-{n + 1:08d}",
            "domain": "movie",
            "rater_id": rater,
            "rater_kind": "vlm" if rater == "vlm" else "human",
            "label": label,
        }
        for rater, column in table.items()
        for n, label in enumerate(column)
        if label is not None
    ]


def noisy_table(count, seed=0, raters=("ann", "bob", "cem", "vlm"), noise=0.4):
    random = np.random.default_rng(seed)
    truth = random.integers(9, size=count)
    return {
        rater: [HUMAN_CHOICES[k] for k in np.where(random.random(count) < noise, random.integers(9, size=count), truth)]
        for rater in raters
    }
