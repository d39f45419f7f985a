"""Trainers that people tune generators with: a module each, of one shape.

Belongs here: what each must find, as text. Does not belong here: writing it (`resources.tuning.export`).
"""

from emovid_assets.core.tuning.trainers.ai_toolkit import AI_TOOLKIT
from emovid_assets.core.tuning.trainers.diffsynth import DIFFSYNTH
from emovid_assets.core.tuning.trainers.diffusion_pipe import DIFFUSION_PIPE
from emovid_assets.core.tuning.trainers.finetrainers import FINETRAINERS
from emovid_assets.core.tuning.trainers.musubi_tuner import MUSUBI_TUNER
from emovid_assets.core.tuning.trainers.onetrainer import ONETRAINER
from emovid_assets.core.tuning.trainers.shape import Trainer
from emovid_assets.core.tuning.trainers.simpletuner import SIMPLETUNER

TRAINERS: dict[str, Trainer] = {
    trainer.name: trainer
    for trainer in (DIFFSYNTH, MUSUBI_TUNER, DIFFUSION_PIPE, FINETRAINERS, AI_TOOLKIT, SIMPLETUNER, ONETRAINER)
}
