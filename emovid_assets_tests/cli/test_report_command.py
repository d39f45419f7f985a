"""`emovid report`: the file is written and its place printed; faults are one line."""

from pathlib import Path

from emovid_assets_tests.cli.conftest import Call


def test_the_report_of_a_new_home_is_written_and_its_place_printed(call: Call, tmp_path: Path) -> None:
    home = tmp_path / "new"
    home.mkdir()
    done = call("report", home=home)
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(home / "reports" / "report.html")
    assert "What to do first" in (home / "reports" / "report.html").read_text(encoding="utf-8")


def test_a_faulty_settings_file_is_named_in_one_line(call: Call, tmp_path: Path) -> None:
    (tmp_path / "emovid.toml").write_text("seeed = 1", encoding="utf-8")
    done = call("report", home=tmp_path)
    assert done.exit_code == 1
    assert done.stderr.startswith("error ")
    assert "seeed" in done.stderr
