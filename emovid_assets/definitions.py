"""The front door: what Dagster loads."""

from emovid_assets.orchestration.assembly import build_defs
from emovid_assets.orchestration.connections import keep_connections

# The daemon's runs and the code server load this module.
keep_connections()
defs = build_defs()
