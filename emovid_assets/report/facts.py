"""What the catalogue cannot know: versions of programs, settings, when and from what the report was built.

Belongs here: reading these facts. How they are shown is in `sections/provenance.py`.
"""

import platform
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from emovid_assets.home.folders import Home
from emovid_assets.home.settings import Settings
from emovid_assets.home.settings_groups import GROUPS, digest, digests, values

PACKAGES = (
    *("emovid-assets", "duckdb", "pyarrow", "av", "scenedetect-headless", "opencv-python-headless", "numpy"),
    *("scikit-learn", "scipy", "torch", "transformers", "dagster"),
)


@dataclass(frozen=True)
class Facts:
    """`changed_settings` are (key, value, default) of those that differ from the default.

    Only settings on which results depend are facts of a dataset: how many cores made it is none.
    """

    built_at: datetime
    settings_digest: str
    changed_settings: tuple[tuple[str, Any, Any], ...]
    versions: tuple[tuple[str, str], ...]


def read_facts(home: Home, built_at: datetime) -> Facts:
    """Facts of a home. Raises SettingsError for a faulty settings file."""
    settings = home.settings()
    counting = {key for group in GROUPS for key in values(home, settings, group)}
    changed = tuple(one for one in _changed(settings, Settings()) if one[0] in counting)
    return Facts(built_at, digest(digests(home)), changed, tuple(_versions()))


def _changed(settings: Any, default: Any, prefix: str = "") -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = []
    for name in type(settings).model_fields:
        here, there = getattr(settings, name), getattr(default, name)
        if hasattr(here, "model_fields_set"):
            found += _changed(here, there, f"{prefix}{name}.")
        elif here != there:
            found.append((f"{prefix}{name}", here, there))
    return found


def _versions() -> list[tuple[str, str]]:
    found = [("Python", platform.python_version()), ("system", f"{platform.system()} {platform.machine()}")]
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found
