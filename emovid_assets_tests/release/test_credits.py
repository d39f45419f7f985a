"""`licences.csv` and `LICENSE.md` say of every source what a person needs who passes its clips on."""

import csv
import io

from emovid_assets.core.release.credits import HEADER, hub_license, licence_rows, licences_csv, license_md
from emovid_assets.core.release.gate import permission_of


def clip(source: str, **facts: object) -> dict:
    row = {
        "clip_id": f"{source}-00000000-00001000",
        "source_id": source,
        "license": "CC BY 3.0",
        "attribution": "Ann <ann@example.org>, Studio | studio.example.org",
        "how": "joined",
        "hidden_frame_count": 0,
        **facts,
    }
    found = permission_of(row)
    return row | {
        "permission": found.tier,
        "permission_code": found.code,
        "license_id": found.license_id,
    }


CLIPS = [
    clip("movie-2", how="encoded"),
    clip("movie-2", how="copied", origin_url="https://studio.example.org/film"),
    clip("movie-1", license="CC BY-ND 4.0", title="A | B"),
    clip("movie-1", license="CC BY-ND 4.0", how="copied", title="A | B"),
    clip("sticker-1", license="MIT OR Apache-2.0", encoding_reason="alpha", how="encoded"),
    clip("sticker-2", license=None),
]


def test_every_source_is_there_once_with_its_licence_credit_changes_and_permissions() -> None:
    rows = list(csv.DictReader(io.StringIO(licences_csv(licence_rows(CLIPS)))))
    assert tuple(rows[0]) == HEADER
    of_source = {row["source_id"]: row for row in rows}
    assert list(of_source) == ["movie-1", "movie-2", "sticker-1", "sticker-2"]
    second = of_source["movie-2"]
    assert (second["license"], second["license_id"]) == ("CC BY 3.0", "CC-BY-3.0")
    assert second["licence_url"] == "https://creativecommons.org/licenses/by/3.0/"
    assert second["attribution"] == "Ann <[address]>, Studio | studio.example.org"
    assert second["changes"] == "cut out of the source, encoded anew"
    assert (second["full_clip_count"], second["metadata_clip_count"]) == ("2", "0")
    first = of_source["movie-1"]
    assert (first["full_clip_count"], first["metadata_clip_count"]) == ("1", "1")
    assert (first["permission_codes"], first["changes"]) == (
        "allowed_unaltered no_derivatives",
        "cut out of the source",
    )
    assert of_source["sticker-1"]["changes"] == "cut out of the source, encoded anew, laid over white"
    assert (of_source["sticker-2"]["changes"], of_source["sticker-2"]["license_id"]) == ("", "unknown")


def test_the_licence_file_names_each_licence_with_its_clips_and_holds_texts_that_copies_need() -> None:
    text = license_md(CLIPS, "full")
    assert "Of 6 clips 4 are here as files." in text
    assert "| [CC-BY-3.0](https://creativecommons.org/licenses/by/3.0/) | 2 | yes | yes | yes |  | no |" in text
    assert "| [CC-BY-ND-4.0](https://creativecommons.org/licenses/by-nd/4.0/) | 1 | yes | no | yes |" in text
    assert "| MIT OR Apache-2.0: [MIT](https://opensource.org/license/mit) | 1 | yes | yes | yes |  | yes |" in text
    assert "### MIT\n\n```text\nPermission is hereby granted" in text
    assert "### Apache-2.0" not in text
    assert "| metadata | `no_derivatives` |" in text


def test_a_release_without_files_says_so_and_holds_no_texts() -> None:
    text = license_md(CLIPS, "metadata")
    assert "No clip is here as a file. Of 6 clips 4 may be passed on" in text
    assert "### MIT" not in text
    assert "0 may be passed on" in license_md([CLIPS[-1]], "metadata")


def test_the_card_names_one_licence_only_where_all_files_have_it() -> None:
    assert hub_license(CLIPS[:2]) == "cc-by-3.0"
    assert hub_license(CLIPS) == "other"
    assert hub_license([{**CLIPS[0], "permission_code": "decided"}]) == "other"
    assert hub_license([CLIPS[-1]]) == "other"
