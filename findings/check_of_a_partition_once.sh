# Dagster stores the result of a check of one partition once only where no run reports it; of a whole asset any number.
#
# Seen with dagster 1.13.27, SQLAlchemy 2.1.9, Python 3.11.7 with SQLite 3.40.1, Linux.
#
# `report_runless_asset_event` is how a result from outside of a run comes into the instance. The table of check results
# is unique over asset, check, run id and partition. Without a run the run id is the empty text, the same each time: a
# second result with the same partition breaks the constraint. Without a partition the column is null, and nulls are
# never equal, so any number is stored.
#
# Output that was seen:
#   whole asset: stored, stored
#   partition movie: stored, IntegrityError
set -eu
unset PYTHONPATH DAGSTER_HOME
export DAGSTER_DISABLE_TELEMETRY=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq dagster==1.13.27 sqlalchemy==2.1.9; } || exit 2

cat >look.py <<'PY'
import sys
from pathlib import Path

import dagster as dg

Path("home").mkdir()
found = {}
with dg.DagsterInstance.local_temp("home") as instance:
    for partition in (None, "movie"):
        found[partition] = []
        for passed in (True, False):
            evaluation = dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey("clips"), check_name="fresh", passed=passed, metadata={}, partition=partition
            )
            try:
                instance.report_runless_asset_event(evaluation)
                found[partition].append("stored")
            except Exception as error:
                found[partition].append(type(error).__name__)
print(f"whole asset: {', '.join(found[None])}")
print(f"partition movie: {', '.join(found['movie'])}")
if found != {None: ["stored", "stored"], "movie": ["stored", "IntegrityError"]}:
    sys.exit("changed: a second result of a partition is stored, or one of a whole asset is not")
PY
venv/bin/python -W ignore look.py
