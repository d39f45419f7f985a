"""What every open project has, in agreement with itself."""

import re
import tomllib
from typing import Any

import yaml

from emovid_assets.core.video.errors import ADVICE
from emovid_assets_tests.assets.homes import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_names_the_version_and_the_licence_of_the_project() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (str(citation["version"]), citation["license"]) == (PROJECT["version"], PROJECT["license"])


def test_the_licence_file_is_that_of_the_named_licence() -> None:
    (name,) = PROJECT["license-files"]
    lines = [line.strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if line.strip()]
    assert lines[:2] == ["Apache License", "Version 2.0, January 2004"]
    assert PROJECT["license"] == "Apache-2.0"


def test_the_page_about_files_gives_the_sentences_that_people_read_in_the_quarantine() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", (ROOT / "docs" / "files.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 15
    assert dict(rows) == {code: ADVICE.get(code) for code, _ in rows}
