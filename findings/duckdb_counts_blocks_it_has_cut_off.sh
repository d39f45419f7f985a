# A DuckDB file may be shorter than its own header says: free blocks at its end are cut off after they were counted.
#
# Seen with duckdb 2.0.0, Python 3.11.7, Linux.
#
# The header of a database file holds the number of blocks and their size. A file of sixty views is copied and one view
# replaced in the copy, in one transaction, and again in a copy of that. Every second file has fewer bytes than three
# headers and the blocks that it counts; all of them open and answer. So the header cannot tell whether a file was cut
# short on its way, and whoever copies by what it says reads beyond the end.
#
# Output that was seen:
#   copy 1: 1847296 bytes, 1847296 by its header, answers 1
#   copy 2: 1060864 bytes, 1847296 by its header, answers 2
#   copy 3: 1847296 bytes, 1847296 by its header, answers 3
#   copy 4: 1060864 bytes, 1847296 by its header, answers 4
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq duckdb==2.0.0; } || exit 2

cat >look.py <<'PY'
import shutil
import struct
import sys
from pathlib import Path

import duckdb

HEADERS_END = 12288
with duckdb.connect("0.duckdb") as connection:
    connection.begin()
    for number in range(60):
        columns = ", ".join(f"{number} as column_with_a_long_name_{index}" for index in range(120))
        connection.execute(f"create view view_{number} as select {columns}")
    connection.commit()

is_short = []
for turn in range(1, 5):
    path = Path(f"{turn}.duckdb")
    shutil.copyfile(f"{turn - 1}.duckdb", path)
    with duckdb.connect(str(path)) as connection:
        connection.begin()
        connection.execute(f"create or replace view view_0 as select {turn} as x")
        connection.commit()
    content = path.read_bytes()
    # Two headers are written in turns; the one of the later writing counts.
    headers = [struct.unpack_from("<QQQQQQ", content, at) for at in (4096, 8192)]
    *_, blocks, block_bytes = max(headers, key=lambda header: header[1])
    told = HEADERS_END + blocks * block_bytes
    with duckdb.connect(str(path), read_only=True) as connection:
        (answer,) = connection.execute("select x from view_0").fetchone()
    print(f"copy {turn}: {len(content)} bytes, {told} by its header, answers {answer}")
    is_short.append(len(content) < told)
    assert answer == turn
if is_short != [False, True, False, True]:
    sys.exit("changed: files are as long as their headers say")
PY
venv/bin/python look.py
