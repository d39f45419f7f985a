"""The golden list of what Dagster is given, and of the code from which each asset's results come.

    python -m emovid_assets_tests.definitions_snapshot            what has changed since it was written
    python -m emovid_assets_tests.definitions_snapshot --write    writes it anew

To write it is to say that what has changed is meant: where the code of an asset is another and its `code_version` is
not, that its results are the same.

Belongs here: making, reading, comparing and writing the list. Does not belong here: what must hold of the definitions
(`test_definitions`).
"""

import inspect
import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from emovid_assets.definitions import defs
from emovid_assets.home.settings_groups import GROUPS
from emovid_assets_tests.code_reach import Code, digest_of
from emovid_assets_tests.rooms import NAME

SNAPSHOT = Path(__file__).with_name("definitions_snapshot.json")
COMMAND = "python -m emovid_assets_tests.definitions_snapshot --write"
GRAPH = defs.resolve_asset_graph()
ALL_SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
SPECS = {name: spec for name, spec in ALL_SPECS.items() if name not in GROUPS}


def facts() -> dict[str, Any]:
    """What the definitions say of themselves."""
    return {
        "assets": {name: asset_facts(name) for name in sorted(SPECS)},
        "checks": [check_facts(key) for key in sorted(GRAPH.asset_check_keys, key=str)],
        "jobs": {name: job_facts(name) for name in sorted(job_names())},
        "sensors": {sensor.name: sensor.default_status.value for sensor in defs.sensors or ()},
        "schedules": {one.name: [one.cron_schedule, one.default_status.value] for one in defs.schedules or ()},
    }


def code_facts(reached: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """A digest per asset, and one per definition that any of them reaches, to name those that have changed."""
    # Equal definitions of two modules have one digest.
    names = sorted({(name, digest) for one in reached.values() for name, digest in one.items()})
    return {
        "code_of_assets": {name: digest_of(one) for name, one in reached.items()},
        "code": {digest: name for name, digest in names},
    }


def asset_facts(name: str) -> dict[str, Any]:
    spec, node = SPECS[name], GRAPH.get(dg.AssetKey(name))
    return {
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "group": spec.group_name,
        "kinds": sorted(spec.kinds),
        "owners": list(spec.owners),
        "partitions": node.partitions_def.get_partition_keys() if node.partitions_def else None,
        "backfill_policy": str(node.backfill_policy) if node.backfill_policy else "default",
        "code_version": spec.code_version,
        "pools": sorted(node.pools or ()),
        "automation": spec.automation_condition.name if spec.automation_condition else None,
        "freshness": str(spec.freshness_policy) if spec.freshness_policy else None,
    }


def check_facts(key: dg.AssetCheckKey) -> dict[str, Any]:
    node = GRAPH.get(key)
    return {
        "asset": key.asset_key.to_user_string(),
        "check": key.name,
        "blocking": node.blocking,
        "partitioned": node.partitions_def is not None,
    }


def job_names() -> list[str]:
    """Jobs of assets."""
    return [job.name for job in defs.jobs or () if not isinstance(job, dg.JobDefinition)]


def job_facts(name: str) -> dict[str, Any]:
    job = defs.resolve_job_def(name)
    return {
        "assets": sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys),
        "partitioned": job.partitions_def is not None,
    }


@cache
def bodies() -> Mapping[str, Any]:
    """The function of each asset that is built, as its module has written it."""
    return {
        definition.key.to_user_string(): inspect.unwrap(definition.op.compute_fn.decorated_fn)
        for definition in defs.assets or ()
        if isinstance(definition, dg.AssetsDefinition) and definition.is_materializable
    }


def code_of_assets(code: Code) -> dict[str, dict[str, str]]:
    """Per asset the digests of the definitions that its results come from."""
    return {
        name: code.reached_from(body.__module__.removeprefix(f"{NAME}."), body.__name__)
        for name, body in sorted(bodies().items())
    }


def undecided(
    known: Mapping[str, Any], assets: Mapping[str, Any], reached: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """A sentence for each asset whose code has changed and whose version has not."""
    sentences = []
    for name, definitions in reached.items():
        is_same_version = known["assets"].get(name, {}).get("code_version") == assets[name]["code_version"]
        if is_same_version and known["code_of_assets"].get(name) != digest_of(definitions):
            changed = sorted(one for one, digest in definitions.items() if digest not in known["code"])
            sentences.append(
                f"asset {name} reaches core code that has changed ({', '.join(changed) or 'less of it than before'}): "
                f"raise its code_version if results change, then run `{COMMAND}`, which says that they do not"
            )
    return sentences


def read_snapshot() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return known


def main() -> int:
    known, reached = read_snapshot(), code_of_assets(Code())
    now = {**facts(), **code_facts(reached)}
    changed = [name for name in now if now[name] != known.get(name)]
    for line in (*undecided(known, now["assets"], reached), f"changed: {', '.join(changed) or 'nothing'}"):
        sys.stdout.write(f"{line}\n")
    if "--write" not in sys.argv[1:]:
        return int(bool(changed))
    SNAPSHOT.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
