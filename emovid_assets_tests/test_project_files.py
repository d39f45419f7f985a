"""What every open project has, in agreement with itself."""

import tomllib
from typing import Any

import yaml

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
