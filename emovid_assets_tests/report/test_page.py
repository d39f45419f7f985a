"""The report of a planted library: whole, self-contained, safe, true, and the same for the same data."""

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from emovid_assets.home.folders import Home
from emovid_assets.report import build, thumbnails
from emovid_assets.report.build import build_report
from emovid_assets.resources.catalogue import open_catalogue
from emovid_assets.resources.sql_files import read_view_files
from emovid_assets_tests.drawing.reading import Document, read
from emovid_assets_tests.report.planting import ATTACK, draw_thumbnail
from emovid_assets_tests.sql.planting import SQL_FOLDER, derive_all, plant

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def html(planted: Path) -> str:
    return build_report(Home(planted), built_at=NOON).path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Document:
    return read(html)


def reading_of(page: Document, title: str) -> str:
    """The sentence below the exhibit of this title."""
    shown = page.named("h3", "p")
    headings = [one for one in shown if one.name == "h3" or "reading" in one.attributes.get("class", "").split()]
    place = next(index for index, one in enumerate(headings) if title in one.text)
    return headings[place + 1].text


def test_every_id_is_there_once_and_every_link_within_the_page_has_its_place(page: Document) -> None:
    ids = [one.attributes["id"] for one in page.elements if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    links = [one.attributes["href"] for one in page.named("a", "use")]
    assert len(links) > 20
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_the_contents_name_every_section_in_its_order(page: Document) -> None:
    sections = [one.attributes["id"] for one in page.named("section")]
    (contents,) = page.named("nav")
    listed = [one.attributes["href"] for one in page.named("a") if one.text and one.text in contents.text]
    assert [f"#{name}" for name in sections] == listed
    assert {"size", "emotions", "map", "colour", "transitions", "agreement", "benchmark", "provenance"} <= set(sections)


def test_what_must_be_known_first_stands_above_all_else_as_the_view_has_it(page: Document, planted: Path) -> None:
    with open_catalogue(planted, SQL_FOLDER) as connection:
        found = connection.sql("select message, what_to_do from dataset_warnings").fetchall()
    assert found
    (box,) = page.named("aside")
    assert all(message in box.text and what_to_do in box.text for message, what_to_do in found)
    assert page.text.index(box.text) < page.text.index("Dataset statistics")


def test_five_sentences_sum_it_up(page: Document) -> None:
    (summary,) = page.of_class("summary")
    assert summary.text.startswith(
        "Size48 clips (2.4\u202fmin) of 48 source videos: movie 16, animation 16 and sticker 16."
        "LabelsPeople labelled 48 of the 48 clips that have a label (100\u202f%)."
    )
    assert [one.text for one in page.named("dt")][:5] == ["Size", "Labels", "Agreement", "Labeller", "Release"]


def test_a_finding_from_few_clips_is_grey_and_says_so(page: Document) -> None:
    # Six clips of each emotion: what is said of one is thin, what is said of all 48 is not.
    assert "It rests on 6, fewer than 30: this may be chance." in [one.text for one in page.of_class("thin-note")]
    grey = [one.text for one in page.named("p") if one.attributes.get("class") == "reading thin"]
    assert any(one.startswith("Amusement, awe, contentment and excitement are the brightest") for one in grey)
    assert not any(one.startswith("50.0\u202f% of the 48 labelled clips") for one in grey)
    rows = [one.text for one in page.named("tr") if one.attributes.get("class") == "thin"]
    assert any(one.startswith("amusement6") for one in rows)
    assert not any("total48" in one for one in rows)


def test_every_table_has_a_caption_and_its_scroll_region_a_name_of_its_own(page: Document) -> None:
    regions = [one.attributes["aria-label"] for one in page.of_class("scroll")]
    assert all(one.startswith("Table: ") for one in regions)
    assert len(set(regions)) == len(regions)
    assert len(page.named("caption")) == len(regions)


def test_the_gap_is_read_with_its_direction_and_the_plain_mean_with_the_clips_that_it_rests_on(page: Document) -> None:
    reading = reading_of(page, "Agreement statistics and the gap between people and model")
    assert "with the model is 0.150, 95 % interval" in reading.replace("\u202f", " ")
    assert reading.endswith(
        "so it is not below the paper’s 0.04: the model agrees with people less than they do with each other."
    )
    said = " ".join(one.text for one in page.named("p"))
    assert "where a pair of raters shares few clips, here 3 at least; the pooled kappa is not" in said


def test_labellers_and_people_are_set_side_by_side(page: Document) -> None:
    quality = reading_of(page, "The labeller, measured on human labels")
    assert "right on 70.0\u202f% of 100 clips that have neither taught nor chosen it" in quality
    reading = reading_of(page, "Labellers and people on the same blind clips")
    assert reading.startswith("Of 48 clips the majority’s label is given by model/")
    assert "(fine tuned) 62.5\u202f% and " in reading
    assert "A person agrees with the majority of the others on 75.0\u202f%, model/" in reading
    assert reading.endswith("on 70.0\u202f% of the same 120 comparisons.")


def test_nothing_is_fetched_and_nothing_runs(page: Document, html: str) -> None:
    assert page.named("script", "iframe", "object", "embed", "audio", "video", "form") == []
    for one in page.elements:
        assert not any(name.startswith("on") for name in one.attributes), one.name
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            assert one.attributes.get(name, "#").startswith(("#", "data:")), one
    styles = "".join(one.text for one in page.named("style")) + "".join(
        one.attributes.get("style", "") for one in page.elements
    )
    assert not re.search(r"url\(|@import|expression|javascript:", styles)
    (policy,) = [one.attributes["content"] for one in page.named("meta") if "http-equiv" in one.attributes]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_titles_captions_and_paths_that_look_like_markup_are_shown_as_they_are(page: Document) -> None:
    assert page.text.count(ATTACK) >= 5
    assert ATTACK in {one.attributes.get("title") for one in page.named("img")}
    assert all(one.attributes["src"].startswith("data:image/jpeg;base64,") for one in page.named("img"))


def test_every_figure_says_in_words_what_it_shows(page: Document) -> None:
    figures = page.of_class("chart")
    assert len(figures) >= 10
    described = {one.attributes["id"]: one.text for one in page.named("title", "desc") if "id" in one.attributes}
    for figure in figures:
        title, description = figure.attributes["aria-labelledby"].split()
        assert described[title].strip()
        assert described[description].strip()


def test_every_query_of_the_report_runs_in_any_client(planted: Path, page: Document) -> None:
    queries = [one.text for one in page.named("pre")]
    assert len(queries) > 20
    shown = [one for one in queries if "does not exist" not in one]
    with duckdb.connect(str(planted / "catalogue.duckdb"), read_only=True) as connection:
        views = {name for (name,) in connection.execute("SELECT view_name FROM duckdb_views()").fetchall()}
        for query in shown:
            asked = set(re.findall(r"(?:FROM|JOIN) (\w+)", query)) - {"votes", "majority"}
            if asked <= views:
                connection.execute(query).fetchall()


def test_the_sentences_say_what_was_planted(page: Document) -> None:
    assert reading_of(page, "Dataset statistics") == (
        "The dataset has 48 clips of 3.00 s on average (standard deviation 1.01 s), 2.4\u202fmin in all; movie, "
        "animation and sticker are the largest domains with 33\u202f% of the clips each."
    )
    assert reading_of(page, "Emotion wheel").startswith("50.0\u202f% of the 48 labelled clips carry a positive emotion")
    assert reading_of(page, "Emotions per domain").startswith("All eight emotions have 6 clips each; people labelled")
    assert reading_of(page, "Share of positive emotions by colour").endswith(
        "Of the clips with a brightness of 0.5 or more 100.0\u202f% are positive (n\u00a0=\u00a024), of those below "
        "0.0\u202f% (n\u00a0=\u00a024)."
    )
    assert reading_of(page, "Mean colour of each emotion").startswith(
        "Amusement, awe, contentment and excitement are the brightest on average (0.90), anger, disgust, fear and "
        "sadness are the darkest (0.20); "
    )
    assert "0.150, 95 % interval [0.050, 0.250] on 48 clips, so it is not below the paper’s 0.04" in reading_of(
        page, "Agreement statistics"
    )
    assert reading_of(page, "What the model says").startswith("The model gives the majority’s label to 48 of 48 clips")
    assert reading_of(page, "Splits").startswith("24 clips are for evaluation and 24 clips for training; no group")


def test_a_swatch_has_the_colour_of_hue_saturation_and_value(page: Document) -> None:
    # Hue 120°, S 0.5: V 0.9 is (115, 230, 115), V 0.2 is (26, 51, 26), by hand.
    colours = [one.attributes["style"] for one in page.of_class("swatch")]
    assert colours == ["background:#73e673"] * 4 + ["background:#1a331a"] * 4


def test_the_benchmark_shows_a_picture_of_every_clip(page: Document) -> None:
    assert len(page.named("img")) == 24
    assert all(one.attributes["alt"] for one in page.named("img"))


def test_equal_data_give_the_same_page_but_for_its_date(planted: Path, html: str) -> None:
    before = build_report(Home(planted), built_at=NOON)
    assert before.path.read_text(encoding="utf-8") == html
    later = build_report(Home(planted), built_at=datetime(2027, 8, 9, 7, 5, tzinfo=UTC))
    assert later.content_sha256 == before.content_sha256
    assert later.path.read_text(encoding="utf-8").replace("2027-08-09", "2026-03-01").replace("07:05", "12:00") == html


def test_other_data_give_another_version(planted: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(planted, tmp_path / "home"))
    before = build_report(Home(home), built_at=NOON)
    plant(home, "processing_errors", [{"domain": "sticker", "asset": "segments", "item_id": "y", "code": "truncated"}])
    assert build_report(Home(home), built_at=NOON).content_sha256 != before.content_sha256


def test_an_empty_library_is_told_what_to_do_first(tmp_path: Path) -> None:
    made = build_report(Home(tmp_path), built_at=NOON)
    page = read(made.path.read_text(encoding="utf-8"))
    assert made.is_empty
    assert made.missing_count == 0
    assert "There are no clips yet" in page.text
    assert [one.text for one in page.named("code")][:4] == [
        "emovid demo",
        *(f"library/{domain}" for domain in ("movie", "animation", "sticker")),
    ]
    assert "nan" not in page.text.lower().split()


def test_a_library_without_labels_says_for_each_figure_what_is_missing(tmp_path: Path) -> None:
    plant(tmp_path, "clips", [{"domain": "movie", "clip_id": "m", "source_id": "s", "duration_s": 5.0}])
    derive_all(tmp_path)
    made = build_report(Home(tmp_path), built_at=NOON)
    page = read(made.path.read_text(encoding="utf-8"))
    assert "1 clip of 5.00 s on average, 5\u202fs in all" in page.text
    assert made.missing_count >= 10
    assert all("emovid" in one.text or "source" in one.text for one in page.of_class("missing"))


def test_a_view_that_is_not_there_is_named_and_ends_nothing(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(shutil.copytree(planted, tmp_path / "home"))
    fewer = Path(shutil.copytree(SQL_FOLDER, tmp_path / "sql"))
    gone = {"polarity_by_colour"}
    for view in read_view_files(SQL_FOLDER):
        if view.name in gone or gone & set(view.depends_on):
            gone.add(view.name)
            (fewer / f"{view.name}.sql").unlink()
    monkeypatch.setattr(build, "shipped_file", lambda name: fewer)
    page = read(build_report(Home(home), built_at=NOON).path.read_text(encoding="utf-8"))
    (said,) = [one.text for one in page.of_class("missing") if "polarity_by_colour" in one.text]
    assert "Table with name polarity_by_colour does not exist" in said
    assert "emovid build --select" in said
    assert "Mean colour of each emotion" in page.text


def test_pictures_stay_within_their_bounds_whatever_the_library_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "MOST_BYTES", 20_000)
    pictures = thumbnails.Thumbnails(tmp_path)
    addresses = []
    for number in range(40):
        draw_thumbnail(tmp_path / f"{number}.jpg", 900)
        addresses.append(pictures.address(f"{number}.jpg"))
    shown = [address for address in addresses if address is not None]
    assert 2 <= len(shown) < 40
    assert pictures.left_out == 40 - len(shown)
    assert sum(map(len, shown)) <= 20_000 * 4 / 3 + 40 * len(shown)
    assert max(map(len, shown)) <= thumbnails.MOST_BYTES_EACH * 4 / 3 + 40


def test_a_path_out_of_the_home_and_a_file_that_is_no_picture_are_left_out(tmp_path: Path) -> None:
    draw_thumbnail(tmp_path / "secret.jpg")
    home = tmp_path / "home"
    home.mkdir()
    (home / "text.jpg").write_text("no picture", encoding="utf-8")
    (home / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    pictures = thumbnails.Thumbnails(home)
    tried = ("../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", "text.jpg", "nothing.jpg", None)
    assert [pictures.address(path) for path in tried] == [None] * len(tried)


def test_a_failed_build_leaves_the_last_report_and_nothing_else(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = build_report(Home(planted), built_at=NOON)
    before = made.path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        build_report(Home(planted))
    assert made.path.read_bytes() == before
    assert [path.name for path in made.path.parent.iterdir()] == ["report.html"]
