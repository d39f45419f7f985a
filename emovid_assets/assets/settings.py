"""The groups of settings as observed assets: what depends on them shows in the lineage and goes stale with them.

Belongs here: these assets and the observation of a changed file. Does not belong here: which keys a group holds
(`settings_groups`). A sensor and every build observe them without a run; people may with the UI's button.
"""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SETTINGS_FILE
from emovid_assets.home.settings_groups import GROUPS, digest, values
from emovid_assets.resources.project import Project

GROUP = "settings"
DATA_VERSION_TAG = "dagster/data_version"


def _observed(name: str, keys: Iterable[str]) -> Any:
    @dg.observable_source_asset(
        name=name,
        group_name=GROUP,
        tags={"dagster/kind/toml": ""},
        description=f"Keys of `{SETTINGS_FILE}`: {', '.join(f'`{key}`' for key in keys)}.",
    )
    def look(project: Project) -> dg.DataVersion:
        home = project.home
        return dg.DataVersion(digest(values(home, home.settings(), name)))

    return look


with warnings.catch_warnings():
    # Dagster calls them beta.
    warnings.simplefilter("ignore", dg.BetaWarning)
    # Observable, not merely external: Dagster takes what was observed into account for staleness only then.
    OBSERVED = [_observed(name, keys) for name, keys in GROUPS.items()]


def observations(home: Home, known: Mapping[str, str]) -> dict[str, dg.AssetObservation]:
    """An observation of each group whose digest is not the known one. Raises SettingsError."""
    settings = home.settings()
    found = {}
    for group in GROUPS:
        read = values(home, settings, group)
        version = digest(read)
        if known.get(group) != version:
            found[group] = dg.AssetObservation(
                group,
                tags={DATA_VERSION_TAG: version},
                metadata={"values": dg.MetadataValue.json(read)},
            )
    return found


def observe(instance: dg.DagsterInstance, home: Home) -> None:
    """Tells the instance of settings that are others than it knows, without a run. Raises SettingsError."""
    for observation in observations(home, known_digests(instance, GROUPS)).values():
        instance.report_runless_asset_event(observation)


def known_digests(instance: dg.DagsterInstance, groups: Iterable[str]) -> dict[str, str]:
    """The last observed digest of each group that has been observed."""
    found = {}
    for group in groups:
        records = instance.fetch_observations(dg.AssetKey(group), limit=1).records
        if records and records[0].asset_observation and records[0].asset_observation.data_version:
            found[group] = records[0].asset_observation.data_version
    return found
