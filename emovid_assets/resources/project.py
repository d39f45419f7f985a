"""The one resource: hands the home folder and everything in it to assets and checks.

Belongs here: what Dagster needs to know of a `workplace`. Does not belong here: any work.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from emovid_assets.home.folders import Home
from emovid_assets.home.settings import Settings
from emovid_assets.home.settings_guard import view_of
from emovid_assets.resources.workplace import Workplace


class Project(dg.ConfigurableResource, Workplace):
    """A home folder. Without `home_folder`, `EMOVID_HOME` (default `./data`) is read when a run needs it."""

    home_folder: str | None = None
    retry_quarantined: bool = False
    may_forget_domains: bool = False
    """Whether a domain whose files are all gone is taken at its word: somebody has named it."""
    _view: Callable[[Settings], Settings] | None = PrivateAttr(None)
    _noted: dict[str, str] = PrivateAttr(default_factory=dict)

    def as_read_by(self, asset: str, groups: Sequence[str]) -> "Project":
        """The same project, whose settings hold of the groups only those that the asset has declared."""
        copied = self.model_copy()
        copied._view = view_of(asset, groups)
        copied._noted = {}
        return copied

    def note(self, tag: str, value: str) -> None:
        self._noted[tag] = value

    @property
    def noted(self) -> dict[str, str]:
        """Tags for the result of the asset that this project was made for."""
        return dict(self._noted)

    @property
    def home(self) -> Home:
        home = Home(Path(self.home_folder).resolve()) if self.home_folder else Home.from_environment()
        return replace(home, view=self._view)
