# Dagster's SQLite event log makes a new engine and a new connection for every transaction: two for a materialisation.
#
# Seen with dagster 1.13.27, SQLAlchemy 2.1.9, Python 3.11.7 with SQLite 3.40.1, Linux.
#
# The storage keeps no engine. Each time it connects, it calls `create_engine` with a `NullPool`, opens the file, runs
# one transaction, closes the file and throws the engine away. A materialisation is written to its run's file and
# again to the index: two of each. Three things follow. SQLAlchemy's cache of compiled statements is born empty each
# time. The storage asks SQLite for the columns of `asset_keys` at each event, as nothing remembers them. And as the
# last connection to a file empties and removes its write-ahead log, no log is left for the next event to append to.
#
# Output that was seen:
#   50 materialisations stored by one process
#   engines 100, connections 100, statements 250
#   of them questions about the columns of a table: 50
#   events after which a write-ahead log was there: 0
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
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

EVENTS = 50
engines, connections, statements = [], [], []


@event.listens_for(Engine, "engine_connect")
def count_engine(connection):
    # Kept, and compared by identity: a freed one could lend its address to the next.
    if not any(connection.engine is seen for seen in engines):
        engines.append(connection.engine)


@event.listens_for(Pool, "connect")
def count_connection(connection, record):
    connections.append(record)


@event.listens_for(Engine, "before_cursor_execute")
def count_statement(connection, cursor, statement, *rest):
    statements.append(statement)


Path("home").mkdir()
with dg.DagsterInstance.local_temp("home") as instance:
    # The first event makes the tables; it is not counted.
    instance.report_runless_asset_event(dg.AssetMaterialization("clips"))
    for counted in (engines, connections, statements):
        counted.clear()
    logs = 0
    for number in range(EVENTS):
        instance.report_runless_asset_event(dg.AssetMaterialization("clips", metadata={"number": number}))
        logs += any(Path("home").rglob("*.db-wal"))

columns = sum("table_xinfo" in statement for statement in statements)
print(f"{EVENTS} materialisations stored by one process")
print(f"engines {len(engines)}, connections {len(connections)}, statements {len(statements)}")
print(f"of them questions about the columns of a table: {columns}")
print(f"events after which a write-ahead log was there: {logs}")
if min(len(engines), len(connections)) < EVENTS:
    sys.exit("changed: an engine or a connection now serves more than one event")
PY
venv/bin/python -W ignore look.py
