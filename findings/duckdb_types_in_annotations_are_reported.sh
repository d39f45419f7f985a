# A process with torch and an op of Dagster ends with DuckDB's list of leaked objects, where an annotation names a connection.
#
# Seen with duckdb 2.0.0, torch 2.13.0, dagster 1.13.27, Python 3.11.7, Linux.
#
# Since DuckDB 2.0 its Python part is bound with nanobind, which reports on standard error what is still alive when the
# interpreter has gone. A function whose annotation names a connection keeps that type, and with it the types and
# constants that are defaults of its methods, wherever something keeps the function to the end. In a process with torch
# and an op of Dagster something does (torch alone is enough in some environments). The exit status stays 0. Annotations
# that are text (PEP 563) keep nothing.
#
# Output that was seen:
#   neither: quiet
#   Dagster and torch: 27 instances, 6 types
#   Dagster and torch, annotations as text: quiet
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq duckdb==2.0.0 torch==2.13.0 dagster==1.13.27; } || exit 2

cat >evaluated.py <<'PY'
import duckdb


def count(connection: duckdb.DuckDBPyConnection):
    return connection.execute("select 1")
PY
{ echo 'from __future__ import annotations'; cat evaluated.py; } >as_text.py

cat >begin.py <<'PY'
import sys

module, *others = sys.argv[1:]
count = __import__(module).count
if "torch" in others:
    import torch
if "dagster" in others:
    import dagster

    @dagster.op
    def nothing():
        pass
PY

status=0
look() {
  title=$1 wanted=$2
  shift 2
  found=$(venv/bin/python -W ignore begin.py "$@" 2>&1 | sed -nE 's/^nanobind: leaked ([0-9]+ (instances|types))!/\1/p' | paste -sd, | sed 's/,/, /')
  echo "$title: ${found:-quiet}"
  [ "${found:-quiet}" = "$wanted" ] || { echo "changed: it was $wanted"; status=1; }
}
look "neither" quiet evaluated
look "Dagster and torch" "27 instances, 6 types" evaluated torch dagster
look "Dagster and torch, annotations as text" quiet as_text torch dagster
exit "$status"
