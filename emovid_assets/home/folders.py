"""Where things lie below the home folder.

Belongs here: names of folders and files. Does not belong here: what is done with them.

`EMOVID_HOME` is read when a `Home` is asked for, never at import.
"""

import difflib
import os
import re
import shlex
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from emovid_assets.home.settings import SETTINGS_FILE, Settings, read_settings

CATALOGUE_NAME = "catalogue.duckdb"
REPORT_NAME = "report.html"
SNAPSHOT_NAME = "snapshot.json"
"""Makes a folder a snapshot, which holds a warehouse as a home does."""
NAMES_OF_A_HOME = ("library", "warehouse", "dagster", "state.sqlite", SETTINGS_FILE)
"""A folder that holds one of these is a home: older ones have no other mark, and one with films in it is one before its
first build."""
LIKE_A_SLIP = 0.8
"""How alike two names are of which one may be a slip of the other, between 0 and 1 (`difflib`)."""
MOST_ALIKE = 10
"""So many of the names beside are looked at, the most alike ones."""


class HomeError(ValueError):
    """The folder cannot be a home; the message says why, and what to do."""


def name_fault(root: Path) -> str | None:
    """What no home may have in its path, with the reason; null where nothing is wrong.

    Each was tried: Dagster and DuckDB put the path into addresses and take a part of it for something else, or fail
    with an error that speaks of anything but the name.
    """
    path = str(root)
    found = next((char for char in path if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs")), None)
    if found is not None and unicodedata.category(found) == "Cs":
        return "bytes that are no UTF-8"
    if found is not None:
        return f"a character that breaks lines or moves the cursor (U+{ord(found):04X})"
    if "?" in path:
        return "a question mark, behind which DuckDB and SQLite read options"
    if "\\" in path:
        return "a backslash, which DuckDB takes for a slash"
    escape = re.search("%[0-9A-Fa-f]{2}", path)
    return f"'{escape[0]}', which Dagster reads as one character" if escape else None


def require_usable(root: Path) -> None:
    """Raises HomeError where a folder cannot be a home."""
    fault = name_fault(root)
    if fault:
        raise HomeError(
            f"{str(root)!a} cannot be a home: its path holds {fault}. Rename the folder, or set EMOVID_HOME"
        )
    if root.exists() and not root.is_dir():
        raise HomeError(f"{root} cannot be a home: it is no folder. Set EMOVID_HOME to a folder")


def require_meant(root: Path) -> None:
    """Raises HomeError where no new home should be made, since another path was probably meant: it lies in a home,
    nothing is above it, or a home of nearly the same name is beside it. Whoever does mean one of the latter two makes
    the folder first."""
    around = next((folder for folder in root.parents if _was_built(folder)), None)
    if around is not None and not is_home(root):
        raise HomeError(f"{root} is a folder of a home, not a home: set EMOVID_HOME to {around}")
    if root.exists():
        return
    make = f"make the folder first if a new home is meant: mkdir -p {shlex.quote(str(root))}"
    if not root.parent.is_dir():
        raise HomeError(f"{root}: there is no such folder, and none above it. Correct EMOVID_HOME, or {make}")
    for alike in difflib.get_close_matches(root.name, _names_in(root.parent), MOST_ALIKE, LIKE_A_SLIP):
        if is_home(root.parent / alike):
            raise HomeError(
                f"{root}: there is no such folder, but a home beside it: {alike}. Correct EMOVID_HOME, or {make}"
            )


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        # It may be entered, but not listed.
        return []


def is_home(folder: Path) -> bool:
    """Whether a folder is one that somebody uses as a home."""
    return any(os.path.lexists(folder / name) for name in NAMES_OF_A_HOME)


def _was_built(folder: Path) -> bool:
    """Stricter than `is_home`: folders of other programs are called `library` too."""
    return (folder / "state.sqlite").is_file() and (folder / "warehouse").is_dir()


def may_write(folder: Path) -> bool:
    """Whether this process may make files in a folder: it is not somebody else's, and on no read-only disk."""
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


@dataclass(frozen=True)
class Home:
    """The home folder. Paths in tables are relative to `root`, with forward slashes."""

    root: Path
    view: Callable[[Settings], Settings] | None = field(default=None, compare=False, repr=False)
    """What of the settings whoever has this home may read (`settings_guard`); null: everything."""

    @classmethod
    def from_environment(cls) -> "Home":
        """The home that the environment names, there or not. Raises HomeError."""
        root = Path(os.environ.get("EMOVID_HOME") or "data").expanduser().resolve()
        require_usable(root)
        if (root / SNAPSHOT_NAME).is_file():
            raise HomeError(
                f"{root} is a snapshot, not a home: set EMOVID_HOME to {root.parent.parent}, and ask of the snapshot "
                f'with: emovid sql --at {root.name} "…"'
            )
        return cls(root)

    @property
    def is_writable(self) -> bool:
        """Whether this process may make files in it."""
        return may_write(self.root)

    @property
    def library(self) -> Path:
        return self.root / "library"

    @property
    def annotations(self) -> Path:
        return self.library / "annotations"

    @property
    def preferences(self) -> Path:
        """Answers of people who compare generated videos."""
        return self.library / "preferences"

    @property
    def study_videos(self) -> Path:
        """What is shown in a study: copies of generated videos whose names say nothing of the generator."""
        return self.media / "study"

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
    def generated(self) -> Path:
        """Videos of generators that were run here, a folder a generator."""
        return self.media / "generated"

    @property
    def filmstrips(self) -> Path:
        """Frames of some generated videos side by side, for people to look at."""
        return self.media / "filmstrips"

    @property
    def imported_videos(self) -> Path:
        """Videos of generators that ran elsewhere, a folder a generator; people put them there."""
        return self.library / "generated"

    @property
    def characters(self) -> Path:
        """Pictures of characters that stickers are made of; people put them there."""
        return self.library / "characters"

    @property
    def frame_changes(self) -> Path:
        """How much frames differ from the ones before: new cut settings need no new comparison (ADR 11)."""
        return self.root / "frame_changes"

    @property
    def exports(self) -> Path:
        """Folders that trainers read, unless people want them elsewhere."""
        return self.root / "exports"

    @property
    def releases(self) -> Path:
        """A folder a release, of which none is ever changed (ADR 45)."""
        return self.root / "releases"

    @property
    def snapshots(self) -> Path:
        """Named states of the warehouse, a folder each."""
        return self.root / "snapshots"

    @property
    def release_decisions(self) -> Path:
        """Where people decide otherwise than the gate of releases; they write it, and it is published."""
        return self.library / "release_decisions.csv"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def adapters(self) -> Path:
        """LoRA adapters of generators, a file each under its name, and a folder for each that was trained here."""
        return self.models / "adapters"

    @property
    def samples(self) -> Path:
        """Clips as generators see them in training: may be deleted, and comes back."""
        return self.root / "samples"

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

    @property
    def runs_at_work(self) -> Path:
        """A file a run that is at work here (ADR 35)."""
        return self.root / ".runs"

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
