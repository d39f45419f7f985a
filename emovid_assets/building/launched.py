"""What a run that a terminal has started says of where it comes from: who, by which command, of which code location.

Belongs here: that, without secrets. Does not belong here: starting runs (`runner`).
"""

import functools
import getpass
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from emovid_assets.core.plain_text import cut, one_line
from emovid_assets.core.redaction import Redactor

COMMAND_TAG, PERSON_TAG = "emovid/command", "emovid/started_by"
LONGEST = 250
CODE_LOCATION, REPOSITORY = "emovid_assets", "__repository__"
"""As `workspace.yaml` and Dagster name them."""
_SECRET_NAME = re.compile(r"(?i)key|token|password|secret")


def terminal_tags(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Tags of a run; `arguments` as in `sys.argv`. Keys in the command line, or held by the environment, are hidden."""
    program, *rest = arguments or sys.argv
    redact = Redactor(value for name, value in environment.items() if _SECRET_NAME.search(name))
    # In the language of selections `key:` stands before the name of an asset.
    told = [
        redact.without_secrets(one) if before == "--select" or one.startswith("--select=") else redact(one)
        for before, one in zip(["", *rest], rest, strict=False)
    ]
    said = shlex.join([Path(program).name or "python", *told])
    # Whoever stops a command means it: the daemon must not begin it again.
    return {COMMAND_TAG: cut(one_line(said), LONGEST), PERSON_TAG: _person(), "dagster/max_retries": "0"}


def name_code_location(instance: dg.DagsterInstance) -> None:
    """Lets runs that this instance makes from now on say which code location they are of.

    `execute_in_process` says nothing of it, and the first page of the UI shows only runs that do.
    """
    location = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(CODE_LOCATION), REPOSITORY)
    create = functools.partial(
        instance.create_run_for_job, remote_job_origin=RemoteJobOrigin(location, IMPLICIT_ASSET_JOB_NAME)
    )
    vars(instance)["create_run_for_job"] = create


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return str(os.getuid())
