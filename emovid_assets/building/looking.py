"""What a home needs, found the short way where that is certain, else the long way.

The long way loads Dagster and all definitions, which takes longer than everything else that a look does. The short way
takes the lineage from a file that the long way has left in the home, and what Dagster remembers straight from its
SQLite files. Both ways end in the same verdicts (`freshness.needs`).

Belongs here: which way is taken. Does not belong here: either way's facts, and what is done about them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.kept import Kept
from emovid_assets.freshness.needs import current_verdicts, noted_failures, with_items, with_made_files
from emovid_assets.freshness.sqlite_records import records_in
from emovid_assets.freshness.staleness import Lineage, Place, Records, Verdict
from emovid_assets.home.folders import Home
from emovid_assets.orchestration.instance import own_instance_folder


@dataclass(frozen=True)
class Look:
    """`verdicts`: on every place of the domains that were asked for, in the order in which they are built."""

    lineage: Lineage
    records: Records
    verdicts: dict[Place, Verdict]
    kept: Kept


def look(home: Home, domains: Sequence[str] = DOMAINS) -> Look:
    """Raises SettingsError, InstanceError, ValueError where the environment names a folder of Dagster that is none."""
    # A faulty settings file is told before anything is made.
    home.settings()
    kept = Kept(home)
    lineage, records = _short_way(home, kept) or _long_way(home, kept)
    verdicts = current_verdicts(home, lineage, records, kept, domains)
    kept.save()
    return Look(lineage, records, verdicts, kept)


def _short_way(home: Home, kept: Kept) -> tuple[Lineage, Records] | None:
    lineage, folder = kept.lineage, own_instance_folder(home.root)
    if lineage is None or folder is None:
        return None
    records = records_in(folder, lineage, noted_failures(home))
    return None if records is None else (lineage, records)


def _long_way(home: Home, kept: Kept) -> tuple[Lineage, Records]:
    from emovid_assets.building.runner import open_instance_to_read
    from emovid_assets.freshness.dagster_records import records_of
    from emovid_assets.orchestration.assembly import build_defs
    from emovid_assets.orchestration.damage import told

    kept.lineage = Lineage.of(build_defs().resolve_asset_graph())
    with told(home.root), open_instance_to_read(home) as instance:
        return kept.lineage, records_of(instance, kept.lineage, noted_failures(home))


def is_up_to_date(home: Home, domains: Sequence[str]) -> bool:
    """Whether a build would run nothing. Only what the short way is certain of is taken for certain. Raises
    SettingsError."""
    home.settings()
    kept = Kept(home)
    found = _short_way(home, kept)
    if found is None:
        return False
    lineage, records = found
    verdicts = current_verdicts(home, lineage, records, kept, domains, asks_for_media=False)
    kept.save()
    if any(not one.is_fresh or one.looks_back_at for one in verdicts.values()):
        return False
    verdicts = with_made_files(home, verdicts)
    with_missing = with_items(home, lineage, verdicts, kept, domains)
    kept.save()
    return all(one.is_fresh for one in with_missing.values())


def names_of(selection: str) -> set[str]:
    """Assets that a selection names. Raises ValueError."""
    from emovid_assets.building.runner import selected
    from emovid_assets.orchestration.assembly import build_defs

    return selected(build_defs(), selection)
