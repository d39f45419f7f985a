"""The Dagster instance folder of an `EMOVID_HOME`.

`dagster.yaml` names its folders relative to the place it is started in, which suits a plain `dagster dev` in a
checkout. The `emovid` commands run anywhere, so they get a copy with absolute folders (ADR 5).

Belongs here: finding and making `DAGSTER_HOME`, and the order in which processes first open it. Does not belong
here: starting Dagster, and the settings themselves.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from emovid_assets.core.placing import put_text
from emovid_assets.home.file_lock import locked
from emovid_assets.home.reading import reading_place
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.resources.sqlite import copy_to

LOCAL_STATE = "data/dagster"
"""The folder that `dagster.yaml` names, relative to the root of a checkout."""

GENERATED = "# Made by emovid from the project's dagster.yaml. Delete this line to keep your own changes below.\n"

INSTANCE_VARIABLE = "EMOVID_DAGSTER_HOME"
"""Names a `DAGSTER_HOME` that is used as it is, such as that of the containers with its PostgreSQL."""

RECORDS = ("history/runs.db", "history/runs/index.db")
"""Of all runs. The events of a single run lie in a file of its own."""

_BASE_DIR = re.compile(rf"^(?P<key>[ ]*base_dir: ){LOCAL_STATE}(?P<rest>/\S+)?[ ]*$", re.MULTILINE)


def instance_folder(home: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The `DAGSTER_HOME` of a home: the one that the environment names, else `home/dagster`, made ready.

    Raises ValueError where the named folder has no `dagster.yaml`: Dagster would begin a new history there.
    """
    return named_folder(environment) or prepare_instance_folder(home)


def named_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The `DAGSTER_HOME` that the environment names; null where it names none. Raises ValueError as above."""
    named = environment.get(INSTANCE_VARIABLE)
    if not named:
        return None
    folder = Path(named).resolve()
    if not (folder / "dagster.yaml").is_file():
        raise ValueError(f"{INSTANCE_VARIABLE} is {named}, which has no dagster.yaml: correct it or unset it")
    return folder


def reading_folder(home: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """A `DAGSTER_HOME` to look at what a home's instance has recorded, without writing to the home: a copy of what says
    what was built and which runs there were. A folder that the environment names is used as it is, and so is one whose
    `dagster.yaml` a person has taken over: the records may be anywhere.
    """
    settings = settings_file(home, environment)
    if environment.get(INSTANCE_VARIABLE):
        return instance_folder(home, environment)
    if _is_taken_over(settings):
        return settings.parent
    copied = prepare_instance_folder(Path(tempfile.mkdtemp(dir=reading_place())))
    for name in RECORDS:
        copy_to(home / "dagster" / name, copied / name)
    return copied


def settings_file(home: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The `dagster.yaml` by which the instance of a home is opened, there or not."""
    named = environment.get(INSTANCE_VARIABLE)
    return (Path(named).resolve() if named else home / "dagster") / "dagster.yaml"


def is_of_a_person(home: Path, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody has written it, or has named a folder in which it lies."""
    return bool(environment.get(INSTANCE_VARIABLE)) or _is_taken_over(settings_file(home, environment))


def own_instance_folder(home: Path, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The `DAGSTER_HOME` of a home where it is below the home, made by us as it would be made now; else null. Nothing
    is made."""
    folder = (home / "dagster").resolve()
    try:
        current = (folder / "dagster.yaml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    wanted = GENERATED + _moved(shipped_file("dagster.yaml").read_text(encoding="utf-8"), folder)
    return folder if current == wanted and not environment.get(INSTANCE_VARIABLE) else None


def opening(home: Path) -> AbstractContextManager[None]:
    """One process at a time opens the instance of a home.

    The first one creates Dagster's tables in SQLite, and Dagster itself does not wait for another that is at it
    ("table alembic_version already exists").
    """
    return locked(home / ".opening-dagster")


def prepare_instance_folder(home: Path) -> Path:
    """Make `home/dagster` ready to be `DAGSTER_HOME` and return its absolute path.

    `home` is `EMOVID_HOME`; both folders are made where they are missing. A `dagster.yaml` that a person has
    taken over (its first line is gone) stays untouched.

    Raises ValueError where the project's `dagster.yaml` would leave state outside `home`.
    """
    folder = (home / "dagster").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "dagster.yaml"
    if _is_taken_over(target):
        return folder
    wanted = GENERATED + rendered(shipped_file("dagster.yaml").read_text(encoding="utf-8"), folder)
    if not target.exists() or target.read_bytes() != wanted.encode():
        # A daemon may read the file at this moment, so it is replaced and never written in place.
        put_text(target, wanted)
    return folder


def _is_taken_over(settings: Path) -> bool:
    """Whether a person has written this `dagster.yaml`. An empty one is what a power cut has left."""
    current = settings.read_text(encoding="utf-8", errors="replace") if settings.exists() else ""
    return bool(current) and not current.startswith(GENERATED)


def rendered(text: str, folder: Path) -> str:
    """`text` of a `dagster.yaml` with every `base_dir` moved from `data/dagster` to the absolute `folder`.

    The comments stay. Raises ValueError where a `base_dir` is not of the form that can be moved.
    """
    import yaml

    moved = _moved(text, folder)
    for base_dir in _base_dirs(yaml.safe_load(moved)):
        if not Path(base_dir).is_absolute():
            raise ValueError(
                f"dagster.yaml keeps state in {base_dir!r}: write each base_dir on a line of its own and "
                f"begin it with {LOCAL_STATE}, so that it can be moved into EMOVID_HOME"
            )
    return moved


def _moved(text: str, folder: Path) -> str:
    def absolute(match: re.Match[str]) -> str:
        # A JSON string is a YAML string, whatever characters the path has.
        return match["key"] + json.dumps(f"{folder}{match['rest'] or ''}", ensure_ascii=False)

    return _BASE_DIR.sub(absolute, text)


def _base_dirs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "base_dir":
                yield str(value)
            else:
                yield from _base_dirs(value)
