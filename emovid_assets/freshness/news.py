"""What the files of a home say that its tables do not say yet.

Belongs here: the library, the metadata of films, the annotation files, the quarantine and the media that were made, as
they are at this moment, beside what was last read or written of them. Verdicts, plans and sensors ask here, so that no
two of them tell different stories.
Does not belong here: what follows from news (`needs`), and when it is asked for (`orchestration.sensors`).
"""

from contextlib import closing, suppress
from dataclasses import dataclass

from emovid_assets.assets.evaluation import quarantine_table
from emovid_assets.home.folders import Home
from emovid_assets.people.answers import read_answers
from emovid_assets.resources.collection.collect import wanted_rows
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library_files import Listing, Stamp, is_sidecar, known_stamps, listing
from emovid_assets.resources.made_files import are_whole
from emovid_assets.resources.quarantine import STEP_ASSETS
from emovid_assets.resources.warehouse import OtherVersionError, Warehouse, content_hash
from emovid_assets.tables.registry import TABLES

ANSWER_TABLES = ("human_annotations", "rejected_annotations")


@dataclass(frozen=True)
class Library:
    """What lies in the library of a domain, and the stamps of what was last read there."""

    found: Listing
    known: dict[str, Stamp]

    @property
    def changed(self) -> set[str]:
        """Files that are new, gone, or of another size or time than when they were read."""
        return {name for name, _ in self.known.items() ^ self.found.stamps.items()}

    @property
    def seems_unmounted(self) -> bool:
        """Whether every medium is gone: a disk that is not mounted looks like that."""
        return not self.found.media and not all(map(is_sidecar, self.known))

    @property
    def reason(self) -> str | None:
        """What is to be said of what has changed; null where nothing has."""
        changed = self.changed
        if not changed:
            return None
        is_beside = all(is_sidecar(name) for name in changed)
        return "manifests, subtitles or metadata have changed" if is_beside else "the library has changed"


def library(home: Home, domain: str) -> Library:
    store = ItemStore.to_read(home.state)
    try:
        known = known_stamps(store, domain)
    finally:
        store.close()
    return Library(listing(home, domain), known)


def wanted_version(home: Home, domain: str) -> str:
    """The data version that `wanted_videos` would have now."""
    return content_hash(TABLES["wanted_videos"].from_rows(wanted_rows(home, domain)))


def answer_versions(home: Home, domain: str) -> dict[str, str]:
    """The data versions that the two tables of answers would have now. Raises SettingsError."""
    warehouse = Warehouse(home.warehouse)
    both = read_answers(
        home,
        domain,
        clips=warehouse.read("clips", domain),
        annotation_tasks=warehouse.read("annotation_tasks", domain),
        label_annotators=home.settings().annotation.label_annotators,
        # Whoever only looks leaves nothing behind.
        is_kept=False,
    )
    return {name: content_hash(TABLES[name].from_rows(rows)) for name, rows in zip(ANSWER_TABLES, both, strict=True)}


def quarantine_version(store: ItemStore, domain: str) -> str:
    """The data version that `processing_errors` would have now."""
    return content_hash(quarantine_table(store, domain))


def made_files_reason(home: Home, table: str, domain: str) -> str | None:
    """What is to be said where media that the items of a table have made are gone, empty or of another size."""
    steps = [step for step, asset in STEP_ASSETS.items() if asset == table]
    if not steps:
        return None
    with closing(ItemStore.to_read(home.state)) as store:
        is_whole = all(are_whole(home.root, made) for step in steps for made in store.made_files(step, domain))
    return None if is_whole else "media that it made are gone or not whole"


def version_from_files(home: Home, table: str, domain: str) -> tuple[str, str] | None:
    """The data version that a table would have now, and what is said where it has another; null where the table is not
    read from files, or its items remember their files by themselves."""
    if table == "wanted_videos":
        return wanted_version(home, domain), "what there is to collect has changed"
    if table in ANSWER_TABLES:
        # What answers are judged by is stale itself where it is of another version.
        with suppress(OtherVersionError):
            return answer_versions(home, domain)[table], "the annotation files have changed"
    return None
