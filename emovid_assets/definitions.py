"""The front door: what Dagster loads."""

from emovid_assets.build import build_defs

defs = build_defs()
