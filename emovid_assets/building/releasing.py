"""A release of a home, from the state of its tables to the row of `releases`.

Belongs here: what a person asks for with `emovid release make`: reading one state of the home, making, proving, keeping
a snapshot, telling Dagster. Does not belong here: any of that work (`resources.release`, `checks.releases`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from emovid_assets.checks.releases import release_proofs
from emovid_assets.core.pseudonyms import released_name
from emovid_assets.core.release.decisions import WHATS
from emovid_assets.core.release.layout import PUBLISHED_TABLES, Tier
from emovid_assets.home.file_lock import locked
from emovid_assets.home.folders import Home
from emovid_assets.home.shipped_files import shipped_file
from emovid_assets.people.annotators import pseudonym_key
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets.resources.release import facts
from emovid_assets.resources.release.content import Content, content_of
from emovid_assets.resources.release.decisions import decisions_of
from emovid_assets.resources.release.making import Made, Tell, Wish, make
from emovid_assets.resources.release.reading import Release, releases_of
from emovid_assets.resources.release.rows import published, released_rows
from emovid_assets.resources.release.scanning import scan_release
from emovid_assets.resources.release.snapshots import (
    SnapshotError,
    SnapshotExistsError,
    make_snapshot,
    refuse_where_tables_were_replaced,
    refuse_while_runs_are_at_work,
    states_of_tables,
)
from emovid_assets.resources.release.texts import Background, texts_of
from emovid_assets.resources.release.withdrawn import told_of_withdrawn
from emovid_assets.tables.columns import rows_of

LOCK = ".lock"


class NotProvedError(Exception):
    """What was made does not hold, so it became no release; the message says what was found."""


@dataclass
class Prepared:
    """What a release would hold, and what is said of it. `states`: of the tables that it was read from. `remarks`:
    sentences for whoever makes it."""

    content: Content
    background: Background
    states: Mapping[tuple[str, str | None], str]
    remarks: list[str] = field(default_factory=list)


def prepare(home: Home, name: str, tier: Tier, *, has_shards: bool = False) -> Prepared:
    """Reads one state of the home and asks the gate about every clip; writes nothing but the key of
    pseudonyms, where there is none yet.

    Raises DecisionsError, HiddenPicturesError, FaultyRowsError, SnapshotError (a build is at work), CatalogueError,
    SettingsError.
    """
    refuse_while_runs_are_at_work(home)
    states = states_of_tables(home)
    decisions = decisions_of(home)
    key = pseudonym_key(home)
    settings = home.settings()
    with open_catalogue(home.root, shipped_file("sql")) as connection:
        found = released_rows(connection)
        tables = {table: published(connection, table) for table in PUBLISHED_TABLES}
        warnings = facts.warnings(connection)
    refuse_where_tables_were_replaced(home, states)
    content = content_of(home, tier, found, tables, decisions, lambda written: released_name(written, key))
    annotation = settings.annotation
    background = Background(
        name=name,
        protocol=facts.protocol(settings),
        warnings=warnings,
        agreement=facts.agreement(tables["agreement_statistics"]),
        annotators_per_clip=f"{annotation.label_annotators} people for {annotation.human_fraction:.0%} of the clips of "
        f"movies and animations, {annotation.verify_annotators} for each sticker; a model for the others",
        software=software(),
        has_shards=has_shards and bool(content.media),
    )
    remarks = [*decisions.remarks, *decisions.idle(rows_of(found, WHATS)), *told_of_withdrawn(home, decisions)]
    return Prepared(content, background, states, remarks)


def software() -> str:
    return f"EmoVid Assets {version('emovid-assets')}"


def make_release(home: Home, prepared: Prepared, tell: Tell = lambda step, done, of: None) -> Made:
    """Makes the release, or finds the one that holds the same. A snapshot of the tables is kept under its version.

    Raises as `making.make`, and NotProvedError, ReleasesBusyError.
    """
    media = home.settings().media
    wish = Wish(
        name=prepared.background.name,
        has_shards=prepared.background.has_shards,
        texts=texts_of(prepared.content, prepared.background),
        software={"name": "emovid-assets", "version": version("emovid-assets")},
        media=media.model_dump(mode="json", include={"clip_files", "audio_language"}),
    )
    made = make(home, prepared.content, wish, lambda folder: _prove(home, folder, tell), tell)
    if made.is_new or not home.snapshots.joinpath(made.release.version).exists():
        # Who was killed after the release had its name has kept none.
        _keep_snapshot(home, made.release, prepared)
    return made


def _keep_snapshot(home: Home, release: Release, prepared: Prepared) -> None:
    """A release without one is a release: what it was made from is in its rows."""
    name = release.version
    try:
        make_snapshot(home, name, prepared.states)
    except SnapshotExistsError:
        others = (one for one in releases_of(home) if one.folder != release.folder)
        if any(one.version == name for one in others):
            # Of the other tier of the same data.
            return
        prepared.remarks.append(
            f"the snapshot {name} is older than this release, and of other tables perhaps: "
            f"emovid snapshot remove {name}, then emovid snapshot make {name}, keeps them as they are now"
        )
    except SnapshotError as error:
        prepared.remarks.append(f"there is no snapshot of the tables under {name}: {error}")


class ReleasesBusyError(Exception):
    """Another process makes a release of this home."""


@contextmanager
def one_at_a_time(home: Home) -> Iterator[None]:
    """Raises ReleasesBusyError where somebody else makes a release of this home."""

    def busy() -> None:
        raise ReleasesBusyError(f"another process makes a release in {home.releases}: wait until it has ended")

    with locked(home.releases / LOCK, busy):
        yield


def _prove(home: Home, folder: Path, tell: Tell) -> None:
    """What could be seen of the home only, and then what everybody can see."""
    found = [one.told for one in scan_release(folder, home)]
    for done, proof in enumerate(release_proofs(folder, with_files=False, with_scan=False), start=1):
        tell("proofs", done, done)
        found += [f"{proof.name}: {fault}" for fault in proof.faults]
    if found:
        shown = "\n  ".join(found[:10])
        more = f"\n  and {len(found) - 10:,} more" if len(found) > 10 else ""
        raise NotProvedError(f"nothing was released, for this was found in it:\n  {shown}{more}")
