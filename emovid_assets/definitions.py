"""The front door: what Dagster loads."""

from emovid_assets.orchestration.assembly import build_defs

defs = build_defs()
