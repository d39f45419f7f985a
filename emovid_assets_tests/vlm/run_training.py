"""Fine-tunes the labeller of a home, in a process that tests can kill: `python -m … HOME`."""

import logging
import sys
from dataclasses import fields
from pathlib import Path

from emovid_assets.assets.training_clips import pool_of
from emovid_assets.resources import training, vlm
from emovid_assets.resources.evidence import ClipTables
from emovid_assets.resources.project import Project
from emovid_assets_tests.planted_tables import TABLES

LOG = logging.getLogger("emovid")


def train(home: Path) -> training.FineTuned:
    """What `emotion_labeller` does, without Dagster."""
    project = Project(home_folder=str(home))
    tables = {name: project.read(name, "movie") for name in TABLES if TABLES[name].is_partitioned}
    clips = ClipTables(*(tables[one.name] for one in fields(ClipTables)))
    names = ("annotation_tasks", "human_annotations", "human_labels")
    pool = pool_of(project, "emotion_labeller", clips, *(tables[name] for name in names), TABLES["clip_groups"].empty())
    place = vlm.model_of(project.home, project.settings.labeller, "labeller").place
    return training.fine_tune(project, place, training.examples_of(project, pool, clips), LOG)


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    train(Path(sys.argv[1]))
