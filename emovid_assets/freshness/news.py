"""What the files of a home say that its tables do not say yet.

Belongs here: the library, the metadata of films, the annotation files, the quarantine, the media that were made, the
releases and the results of builds as they are at this moment, beside what was last read or written of them. Verdicts,
plans and sensors ask here, so that no two of them tell different stories. Does not belong here: what follows from news
(`needs`), and when it is asked for (`orchestration.sensors`).
"""

from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from emovid_assets.assets.look_back import TAG, seen_in
from emovid_assets.freshness.kept import Kept
from emovid_assets.freshness.staleness import VERSION_TAG, Place, Tags, Verdict
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import SOURCES_TAG, sources_digest
from emovid_assets.home.stamps import stamp_or_none
from emovid_assets.people.answers import answer_files, preference_files, read_answers, read_preferences_of
from emovid_assets.resources.collection.store import has_items
from emovid_assets.resources.generation.brought import BROUGHT_TAG, brought
from emovid_assets.resources.generation.brought import digest_of as brought_digest
from emovid_assets.resources.item_store import ItemStore
from emovid_assets.resources.library_files import (
    LIBRARY_TAG,
    Listing,
    Stamp,
    is_sidecar,
    known_stamps,
    listing,
    metadata_files,
)
from emovid_assets.resources.made_files import all_are_whole
from emovid_assets.resources.page_files import is_whole_catalogue, is_whole_report
from emovid_assets.resources.quarantine import STEP_ASSETS, quarantine_table, quarantined
from emovid_assets.resources.release.reading import RELEASES_TAG
from emovid_assets.resources.release.reading import digest_of as releases_digest
from emovid_assets.resources.warehouse import OtherVersionError, Warehouse, content_hash
from emovid_assets.tables.columns import rows_of
from emovid_assets.tables.registry import TABLES

ANSWER_TABLES = ("human_annotations", "rejected_annotations")
PREFERENCE_TABLES = ("preferences", "rejected_preferences")
VERSION_IS_STATE = ("clip_facts", "disputed_clips", "caption_phrase_counts")
"""Tables that are in their files before Dagster knows of them: their data version is the state of the file."""
MISSING_ITEMS = "items are missing whose files are gone or damaged, or that may succeed now"
LIBRARY_CHANGED = "the library has changed"
BESIDE_CHANGED = "manifests, subtitles or metadata have changed"
RELEASES_CHANGED = "releases have come or gone"
LIBRARY_REASONS = frozenset({LIBRARY_CHANGED, BESIDE_CHANGED})
OTHER_FILE = "its file is not the one that was recorded"


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
        return BESIDE_CHANGED if all(is_sidecar(name) for name in changed) else LIBRARY_CHANGED


def library(home: Home, domain: str) -> Library:
    store = ItemStore.to_read(home.state)
    try:
        known = known_stamps(store, domain)
    finally:
        store.close()
    return Library(listing(home, domain), known)


def wanted_version(home: Home, domain: str, kept: Kept) -> str:
    """The data version that `wanted_videos` would have now."""
    rows = []
    if has_items(home) or metadata_files(home, domain):
        # It brings along what fetches files.
        from emovid_assets.resources.collection.collect import wanted_rows

        rows = wanted_rows(home, domain)
    version: str = kept.version(
        f"wanted_videos/{domain}", rows, lambda: content_hash(TABLES["wanted_videos"].from_rows(rows))
    )
    return version


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


def preference_versions(home: Home, domain: str) -> dict[str, str]:
    """The same of the two tables of answers about pairs of videos. Raises SettingsError."""
    tasks = Warehouse(home.warehouse).read("preference_tasks", domain)
    both = read_preferences_of(home, domain, preference_tasks=tasks, is_kept=False)
    return {
        name: content_hash(TABLES[name].from_rows(rows)) for name, rows in zip(PREFERENCE_TABLES, both, strict=True)
    }


def quarantine_version(store: ItemStore, domain: str, kept: Kept) -> str:
    """The data version that `processing_errors` would have now."""
    failures = quarantined(store, domain)
    version: str = kept.version(
        f"processing_errors/{domain}", failures, lambda: content_hash(quarantine_table(failures))
    )
    return version


def made_files_reason(home: Home, table: str, domain: str) -> str | None:
    """What is to be said where media that the items of a table have made are gone, empty or of another size, or where
    the catalogue or the report is not whole."""
    pages = {"catalogue": (is_whole_catalogue, home.catalogue), "dataset_report": (is_whole_report, home.report)}
    if table in pages:
        is_whole_page, path = pages[table]
        return None if is_whole_page(path) else "its file is gone or not whole"
    steps = [step for step, asset in STEP_ASSETS.items() if asset == table]
    if not steps:
        return None
    with closing(ItemStore.to_read(home.state)) as store:
        is_whole = all(all_are_whole(home.root, store.made_files(step, domain)) for step in steps)
    return None if is_whole else "media that it made are gone or not whole"


class Look:
    """One look at the files of a home, for as many verdicts as one likes: what several need is read once."""

    def __init__(self, home: Home, kept: Kept) -> None:
        self._home, self._kept = home, kept
        self._brought = brought(home)
        self._warehouse = Warehouse(home.warehouse)

    def judged(self, place: Place, verdict: Verdict, made: Mapping[Place, Tags | None]) -> Verdict:
        """The verdict, where the files say more than what it was made from. What is stale as it is stays as it is."""
        if verdict.made is None or verdict.reasons:
            return verdict
        if reason := self._reason(place, verdict.made):
            return replace(verdict, reasons=(reason,))
        return self._looking_back(place, verdict, made)

    def _looking_back(self, place: Place, verdict: Verdict, made: Mapping[Place, Tags | None]) -> Verdict:
        """The verdict, with the tables that it looked back at and that hold something else now. What it has looked at
        of itself does not count: it keeps what it has chosen."""
        noted = {Place(*seen_in(tag)): version for tag, version in (verdict.made or {}).items() if tag.startswith(TAG)}
        now = {one: self._version(one, made) for one in noted if one != place}
        changed = {one.asset for one, version in now.items() if version != noted[one]}
        if not changed:
            return verdict
        return replace(verdict, looks_back_at=tuple(sorted(changed)), inputs=f"{verdict.inputs}|{sorted(now.items())}")

    def _version(self, place: Place, made: Mapping[Place, Tags | None]) -> str:
        """As a look back notes it: what was never built is as good as empty."""
        if version := (made.get(place) or {}).get(VERSION_TAG):
            return version
        empty: str = self._kept.version(f"empty/{place.asset}", None, lambda: content_hash(TABLES[place.asset].empty()))
        return empty

    def _reason(self, place: Place, made: Mapping[str, str]) -> str | None:
        asset, domain = place.asset, place.domain
        if asset in TABLES and (reason := self._table_fault(asset, domain, made.get(VERSION_TAG))):
            return reason
        if asset in ("catalogue", "dataset_report"):
            is_same = made.get(SOURCES_TAG) in (None, sources_digest(asset))
            return None if is_same else "what it is drawn by has changed"
        if asset == "emotion_labeller" and (gone := self._labellers_gone()):
            return f"{gone} is gone or not whole"
        if asset == "source_videos":
            return self._library_reason(str(domain), made)
        if asset == "wanted_videos" and wanted_version(self._home, str(domain), self._kept) != made.get(VERSION_TAG):
            return "what there is to collect has changed"
        if asset == "generated_videos":
            # What was built before this was noted says nothing of it.
            now = brought_digest(self._brought, str(domain))
            return None if made.get(BROUGHT_TAG, now) == now else "brought videos or characters have changed"
        if asset == "releases":
            now = releases_digest(self._home.releases)
            return None if made.get(RELEASES_TAG, now) == now else RELEASES_CHANGED
        if asset in (*ANSWER_TABLES, *PREFERENCE_TABLES):
            is_of_clips = asset in ANSWER_TABLES
            versions = self._answer_versions if is_of_clips else self._preference_versions
            # What answers are judged by is stale itself where it is of another version.
            with suppress(OtherVersionError):
                if versions(str(domain))[asset] != made.get(VERSION_TAG):
                    return f"the {'annotation files' if is_of_clips else 'files of answers about pairs'} have changed"
        return None

    def _table_fault(self, table: str, domain: str | None, version: str | None) -> str | None:
        footer = self._warehouse.footer(table, domain)
        if footer is None:
            return "its file is gone or cannot be read"
        if not set(TABLES[table].column_names) <= set(footer.columns):
            return "its columns have changed"
        if footer.domain not in (None, domain):
            return OTHER_FILE
        if table in VERSION_IS_STATE:
            return None if self._warehouse.state(table, domain) == version else OTHER_FILE
        # Files of earlier versions do not say which version of the data they hold.
        return OTHER_FILE if footer.data_version not in (None, version) else None

    def _labellers_gone(self) -> str | None:
        with suppress(OtherVersionError):
            for row in rows_of(self._warehouse.read("emotion_labeller"), ["path"]):
                if row["path"] is not None and not _has_whole_files(self._home.root / row["path"]):
                    return str(row["path"])
        return None

    def _library_reason(self, domain: str, made: Mapping[str, str]) -> str | None:
        """A build that was killed has read files that no table tells of: what counts is what the table was made from,
        where that was noted, and not what was read last."""
        now = library(self._home, domain)
        if now.reason or LIBRARY_TAG not in made:
            return now.reason
        return None if made[LIBRARY_TAG] == now.found.digest else LIBRARY_CHANGED

    def _answer_versions(self, domain: str) -> dict[str, str]:
        depends_on = (
            self._stamps(answer_files(self._home)),
            [self._warehouse.state(name, domain) for name in ("clips", "annotation_tasks")],
            self._home.settings().annotation.label_annotators,
        )
        found: dict[str, str] = self._kept.version(
            f"answers/{domain}", depends_on, lambda: answer_versions(self._home, domain)
        )
        return found

    def _preference_versions(self, domain: str) -> dict[str, str]:
        files = preference_files(self._home)
        depends_on = (self._stamps(files), self._warehouse.state("preference_tasks", domain))
        found: dict[str, str] = self._kept.version(
            f"preferences/{domain}", depends_on, lambda: preference_versions(self._home, domain)
        )
        return found

    def _stamps(self, files: Iterable[Path]) -> list[tuple[str, Stamp | None]]:
        """Of files of answers and of what makes names of addresses."""
        also = (self._home.annotator_key, self._home.annotator_addresses)
        return [(str(path), stamp_or_none(path)) for path in (*files, *also)]


def _has_whole_files(folder: Path) -> bool:
    """Whether a folder is there and none of its files was left empty."""
    return folder.is_dir() and all(file.stat().st_size for file in folder.rglob("*") if file.is_file())
