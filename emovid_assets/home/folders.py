"""Where things lie below the home folder.

Belongs here: names of folders and files. Does not belong here: what is done with them.

`EMOVID_HOME` is read when a `Home` is asked for, never at import.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from emovid_assets.home.settings import SETTINGS_FILE, Settings, read_settings

CATALOGUE_NAME = "catalogue.duckdb"
REPORT_NAME = "report.html"


@dataclass(frozen=True)
class Home:
    """The home folder. Paths in tables are relative to `root`, with forward slashes."""

    root: Path
    view: Callable[[Settings], Settings] | None = field(default=None, compare=False, repr=False)
    """What of the settings whoever has this home may read (`settings_guard`); null: everything."""

    @classmethod
    def from_environment(cls) -> "Home":
        return cls(Path(os.environ.get("EMOVID_HOME") or "data").expanduser().resolve())

    @property
    def library(self) -> Path:
        return self.root / "library"

    @property
    def annotations(self) -> Path:
        return self.library / "annotations"

    @property
    def annotator_key(self) -> Path:
        """Makes pseudonyms of addresses (ADR 32)."""
        return self.root / "annotators" / "key"

    @property
    def annotator_addresses(self) -> Path:
        """Whose pseudonym is whose: for the owner of the home alone, and beside the warehouse, not in it."""
        return self.root / "annotators" / "addresses.csv"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def media(self) -> Path:
        """Clip files and pictures: all that an annotation server may serve."""
        return self.root / "media"

    @property
    def clips(self) -> Path:
        return self.media / "clips"

    @property
    def thumbnails(self) -> Path:
        return self.media / "thumbnails"

    @property
    def first_frames(self) -> Path:
        return self.media / "first_frames"

    @property
    def frame_changes(self) -> Path:
        """How much frames differ from the ones before: new cut settings need no new comparison (ADR 11)."""
        return self.root / "frame_changes"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def kept(self) -> Path:
        """What a look at the home leaves for the next one."""
        return self.root / ".kept.json"

    @property
    def catalogue(self) -> Path:
        return self.root / CATALOGUE_NAME

    @property
    def report(self) -> Path:
        return self.reports / REPORT_NAME

    @property
    def state(self) -> Path:
        """Per-item state: finished items and quarantine (ADR 2)."""
        return self.root / "state.sqlite"

    @property
    def collection_lock(self) -> Path:
        """Held by the one process that collects for this home."""
        return self.root / ".collection.lock"

    def build_lock(self, domain: str | None) -> Path:
        """Held by the one process that builds a domain at a terminal."""
        return self.root / f".build-{domain or 'all'}.lock"

    def collected(self, domain: str) -> Path:
        """Files that were collected; people put theirs beside this folder."""
        return self.library / domain / "collected"

    def relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def served(self, media_path: str) -> str:
        """A `media_path` of `clip_media` as an annotation server is given it: below `media`."""
        return (self.root / media_path).relative_to(self.media).as_posix()

    def settings(self) -> Settings:
        """Settings of this home. Raises SettingsError with the file, the key and what is allowed."""
        settings = read_settings(self.root / SETTINGS_FILE)
        return settings if self.view is None else self.view(settings)
