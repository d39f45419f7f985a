"""What is missing, stale or quarantined, per asset and domain, and which runs have failed.

Belongs here: putting together what a person at a terminal wants to know. Nothing is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from emovid_assets.building.looking import look
from emovid_assets.core import side_files
from emovid_assets.core.domains import DOMAINS
from emovid_assets.freshness.needs import quarantined_counts
from emovid_assets.home.folders import Home
from emovid_assets.resources.item_store import FailedRun
from emovid_assets.resources.library_files import listing, strays
from emovid_assets.resources.warehouse import Warehouse
from emovid_assets.tables.registry import TABLES


@dataclass(frozen=True)
class AssetState:
    """`state` is `missing`, `up to date`, or what makes it stale; `domain` is null for unpartitioned assets."""

    asset: str
    domain: str | None
    rows: int | None
    quarantined: int
    state: str


@dataclass(frozen=True)
class Status:
    """`states`: in the order in which assets are built. `failures`: failed runs whose asset has not been built in that
    domain since, the newest first."""

    states: list[AssetState]
    failures: list[FailedRun]


def status(home: Home, domains: Sequence[str] = DOMAINS) -> Status:
    """Raises SettingsError."""
    found, quarantined = look(home, domains), quarantined_counts(home, domains)
    return Status(
        [
            AssetState(
                place.asset,
                place.domain,
                Warehouse(home.warehouse).row_count(place.asset, place.domain) if place.asset in TABLES else None,
                quarantined.get(place, 0),
                verdict.state,
            )
            for place, verdict in found.verdicts.items()
        ],
        [one for one in found.records.unresolved if one.domain in (None, *domains)],
    )


def asset_states(home: Home, domains: Sequence[str] = DOMAINS) -> list[AssetState]:
    """States in the order in which assets are built. Raises SettingsError."""
    return status(home, domains).states


def unresolved_failures(home: Home, domains: Sequence[str] = DOMAINS) -> list[FailedRun]:
    """Failed runs whose asset has not been built in that domain since, the newest first."""
    return status(home, domains).failures


def library_notes(home: Home, domains: Sequence[str] = DOMAINS) -> list[str]:
    """What is passed over in the library, a sentence a domain or folder; nothing where all of it is read."""
    counts = {domain: side_files.told(listing(home, domain).side_files) for domain in domains}
    return [
        *(f"library/{domain}: beside the media {told}" for domain, told in counts.items() if told),
        *(stray.sentence for stray in strays(home)),
    ]
