"""`python -m emovid_assets.cli`, where the program `emovid` is not on the path."""

from emovid_assets.cli.app import main

main()
