"""The report as an asset: where it is, what it is made of, and that equal data are no new version."""

from pathlib import Path

import dagster as dg

from emovid_assets.assets.catalogue import catalogue, dataset_report
from emovid_assets.home.folders import Home
from emovid_assets.home.settings_groups import GROUPS, SETTINGS_TAG, digests
from emovid_assets.resources.project import Project


def materialized(home: Path, *selection: str) -> dg.ExecuteInProcessResult:
    upstream = [dg.SourceAsset(key) for key in sorted(catalogue.dependency_keys)]
    return dg.materialize(
        [catalogue, dataset_report, *upstream],
        selection=selection or ["catalogue", "dataset_report"],
        resources={"project": Project(home_folder=str(home))},
        instance=dg.DagsterInstance.ephemeral(),
    )


def test_the_asset_writes_the_report_after_the_catalogue_and_shows_figures(planted: Path) -> None:
    done = materialized(planted)
    (report,) = done.asset_materializations_for_node("dataset_report")
    assert report.metadata["path"].value == str(planted / "reports" / "report.html")
    assert report.metadata["size_bytes"].value == (planted / "reports" / "report.html").stat().st_size
    (views,) = done.asset_materializations_for_node("catalogue")
    for name in ("emotion wheel", "emotions per domain", "polarity by colour", "people and model"):
        assert views.metadata[name].value.startswith(f"![{name}](data:image/svg+xml;base64,")


def test_an_empty_home_gives_a_report_that_says_what_is_missing(tmp_path: Path) -> None:
    (report,) = materialized(tmp_path).asset_materializations_for_node("dataset_report")
    assert "no clips yet" in str(report.metadata["missing"].value)


def test_the_version_is_that_of_the_content(planted: Path) -> None:
    assert version(planted) == version(planted)


def version(home: Path) -> str:
    """Of the report alone: the catalogue, which takes longer, is made where it is missing."""
    (report,) = materialized(home, "dataset_report").asset_materializations_for_node("dataset_report")
    return (report.tags or {})["dagster/data_version"]


def test_it_is_another_one_exactly_where_a_setting_that_it_declares_is_another_one(planted: Path) -> None:
    assert {key.to_user_string() for key in dataset_report.dependency_keys} == {"catalogue", *GROUPS}
    plain, tags = version(planted), digests(Home(planted))
    for text, is_other in (
        ("[media]\nworkers = 1\n", False),
        ("[collection]\nmax_items = 1\n", False),
        ("[labeller]\nframes = 3\n", False),
        ("[benchmark]\nper_cell = 3\n", True),
    ):
        (planted / "emovid.toml").write_text(text, encoding="utf-8")
        assert (digests(Home(planted)) != tags) == is_other
        assert (version(planted) != plain) == is_other, text
    (report,) = materialized(planted, "dataset_report").asset_materializations_for_node("dataset_report")
    noted = {name.removeprefix(SETTINGS_TAG): value for name, value in (report.tags or {}).items()}
    assert digests(Home(planted)).items() <= noted.items()
    page = (planted / "reports" / "report.html").read_text(encoding="utf-8")
    assert "benchmark.per_cell" in page
