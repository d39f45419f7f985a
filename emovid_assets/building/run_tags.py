"""What a run that a terminal has started says of where it comes from: who, and by which command.

Belongs here: that, without secrets. Does not belong here: starting runs (`runner`).
"""

import getpass
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from emovid_assets.core.plain_text import cut, one_line
from emovid_assets.core.redaction import Redactor

COMMAND_TAG, PERSON_TAG = "emovid/command", "emovid/started_by"
LONGEST = 250
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
    return {COMMAND_TAG: cut(one_line(said), LONGEST), PERSON_TAG: _person()}


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return str(os.getuid())
