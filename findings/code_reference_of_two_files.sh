# Dagster names the file of a wrapper and the line of what it wraps: a place that is neither.
#
# Seen with dagster 1.13.27, Python 3.11.7.
#
# `dg.with_source_code_references` is there to open an asset's code from the asset's page. For a function behind a
# `functools.wraps` decorator of another module it asks `inspect` twice: `getsourcefile` answers for the wrapper,
# `getsourcelines` follows `__wrapped__` and answers for the function inside. The two are joined unchecked, so a
# short module of decorators is opened at a line that it does not have, or at one that has nothing to do with the asset.
# The asset without a decorator is right.
#
# Output that was seen:
#   clips, decorated: written at movies.py:43, the reference says timing.py:43
#   cuts, plain:      written at movies.py:49, the reference says movies.py:49
#   timing.py has 10 lines
set -eu
unset PYTHONPATH
export DAGSTER_DISABLE_TELEMETRY=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq dagster==1.13.27; } || exit 2

cat >timing.py <<'PY'
import functools


def timed(function):
    @functools.wraps(function)
    def run():
        print("started")
        return function()

    return run
PY

# The function is to stand further down than the other module is long.
{
    echo "import dagster as dg"
    echo "from timing import timed"
    printf '# a longer module\n%.0s' {1..38}
    cat <<'PY'


@dg.asset
@timed
def clips():
    return 1


@dg.asset
def cuts():
    return 1
PY
} >movies.py

cat >look.py <<'PY'
import sys
from pathlib import Path

import dagster as dg
import movies

lines = Path("movies.py").read_text().splitlines()


def written(name):
    """Where the first decorator of a function stands, which is where Python says that it begins."""
    at = lines.index(f"def {name}():")
    while lines[at - 1].startswith("@"):
        at -= 1
    return f"movies.py:{at + 1}"


def said(asset):
    [reference] = asset.metadata_by_key[asset.key]["dagster/code_references"].code_references
    return f"{Path(reference.file_path).name}:{reference.line_number}"


clips, cuts = dg.with_source_code_references([movies.clips, movies.cuts])
length = len(Path("timing.py").read_text().splitlines())
print(f"clips, decorated: written at {written('clips')}, the reference says {said(clips)}")
print(f"cuts, plain:      written at {written('cuts')}, the reference says {said(cuts)}")
print(f"timing.py has {length} lines")
mixed = said(clips) == written("clips").replace("movies", "timing")
if not (mixed and said(cuts) == written("cuts")):
    sys.exit("changed: the reference no longer mixes the two files")
PY
venv/bin/python -W ignore look.py
