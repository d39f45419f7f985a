"""`python -m emovid_assets_tests.recount HOME` recounts the report of a home and prints what each number was explained by."""

import sys
from pathlib import Path

from emovid_assets_tests.recount.report import recount

page = recount(Path(sys.argv[1]))
for oracle, count in page.explained.most_common():
    print(f"{count:6,} {oracle}")
print(f"{page.explained.total():6,} in all, of {page.number_count():,} on the page")
for fault in (*page.faults, *(f"left over: {text}" for text in page.left_over())):
    print(fault)
