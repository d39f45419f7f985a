"""Which model answers: the configured labeller and captioner, trained, saved and loaded.

Belongs here: the choice by `model.backend` and the model folder. Does not belong here: what a model computes.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from emovid_assets.core import embedded_labeller
from emovid_assets.core.embedded_describer import EmbeddedDescriber
from emovid_assets.core.labelling import Captioner, LabelledClip, Labeller, TrainingReport
from emovid_assets.layout import Home


def train_labeller(
    home: Home, examples: Sequence[LabelledClip], *, minimum: int
) -> tuple[Labeller, TrainingReport, Path]:
    """Trains the configured labeller and saves it under `models/`. Raises NotEnoughLabelsError."""
    labeller, report = embedded_labeller.train(examples, minimum=minimum)
    folder = home.models / f"labeller-{labeller.revision}"
    if not folder.exists():
        temporary = home.models / f".labeller-{labeller.revision}.{os.getpid()}.tmp"
        labeller.save(temporary)
        report_text = json.dumps(vars(report), indent=2, default=list)
        (temporary / "report.json").write_text(report_text + "\n", encoding="utf-8")
        try:
            os.replace(temporary, folder)
        except OSError:
            # Another run has just saved the same revision.
            shutil.rmtree(temporary)
    return labeller, report, folder


def load_labeller(home: Home, path: str) -> Labeller:
    """The labeller of a row of `emotion_labeller`."""
    return embedded_labeller.EmbeddedLabeller.load(home.root / path)


def captioner() -> Captioner:
    """The configured captioner."""
    return EmbeddedDescriber()


def training_config() -> str:
    """JSON of the labeller's configuration."""
    return json.dumps(embedded_labeller.training_config(), sort_keys=True)
