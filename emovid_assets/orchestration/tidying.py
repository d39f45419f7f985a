"""When Dagster's history is made shorter: by night where a daemon runs, and after a build at a terminal.

Belongs here: the job, and what a build calls. Does not belong here: what may go (`history`).
"""

import logging
from collections.abc import Callable

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from emovid_assets.home.settings import HistorySettings
from emovid_assets.orchestration import history
from emovid_assets.resources.project import Project

LOG = logging.getLogger(__name__)


def tidy_after_build(instance: dg.DagsterInstance, kept: HistorySettings, told: Callable[[str], None]) -> None:
    """Forgets what is beyond the limits. A build that succeeded does not fail for it: `told` is given a sentence."""
    try:
        if history.is_due(instance, kept):
            history.tidy(instance, kept, LOG)
    except (SQLAlchemyError, OSError) as error:
        told(f"Dagster's history could not be made shorter, which the next build tries again: {error}")


@dg.op(out=dg.Out(dg.Nothing))
def forget(context: dg.OpExecutionContext, project: Project) -> None:
    """Takes away runs beyond the limits of `[history]`, with their logs and pictures."""
    context.log.info(history.tidy(context.instance, project.home.settings().history, context.log).sentence)


@dg.job(
    description="Forgets runs that are older or more than `[history]` keeps, with what they have printed and drawn. "
    "What is shown of an asset stays."
)
def tidy_history() -> None:
    forget()
