"""`python -m emovid_assets_tests.recount HOME` recounts the report of a home and prints what explains its numbers."""

import sys
from pathlib import Path

from emovid_assets_tests.recount.report import Recount

recount = Recount(Path(sys.argv[1]))
page = recount.held_against(recount.html)
for oracle, count in page.explained.most_common():
    sys.stdout.write(f"{count:6,} {oracle}\n")
sys.stdout.write(f"{page.explained.total():6,} in all, of {page.number_count():,} on the page\n")
sys.stdout.write("".join(f"{fault}\n" for fault in page.faults))
