"""Which changes of code are noticed, and for which assets."""

from pathlib import Path

import pytest

from emovid_assets_tests.code_reach import Code, digest_of
from emovid_assets_tests.definitions_snapshot import code_facts, undecided

MEAN = """
import math as maths
from emovid_assets.core.limits import LIMIT, Bounds

VERSION = "1"
SHARE = 0.5

def mean(values: list[float]) -> float:
    \"\"\"Of what is not too large.\"\"\"
    return sum(min(one, LIMIT) for one in values) * SHARE

def unused(values):
    return Bounds(values)
"""
LIMITS = """
LIMIT = 3

class Bounds:
    low: int = 1
"""
ASSET = """
from emovid_assets.assets.declaring import asset
from emovid_assets.resources import reading

@asset(group=reading.nothing)
def brightness(unused):
    return reading.mean_of(unused)

@asset()
def other(brightness):
    return brightness
"""
READING = """
def nothing():
    return helped()

def helped():
    from emovid_assets.core.mean import unused
    return unused

def mean_of(values):
    from emovid_assets.core import mean
    return mean.mean(values)
"""
FILES = {"core/mean.py": MEAN, "core/limits.py": LIMITS, "assets/light.py": ASSET, "resources/reading.py": READING}


def reached(folder: Path, asset: str = "brightness", **changed: str) -> dict[str, str]:
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(changed.get(Path(path).stem, text), encoding="utf-8")
    return Code(folder).reached_from("assets.light", asset)


def test_what_an_asset_uses_is_followed_into_core_definition_by_definition(tmp_path: Path) -> None:
    assert set(reached(tmp_path)) == {"core.mean.mean", "core.mean.SHARE", "core.limits.LIMIT"}


def test_a_parameter_that_is_called_like_another_asset_is_not_that_asset(tmp_path: Path) -> None:
    assert reached(tmp_path, "other") == {}


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("mean", "min(one", "max(one"),
        ("mean", "SHARE = 0.5", "SHARE = 0.25"),
        ("limits", "LIMIT = 3", "LIMIT = 4"),
        ("mean", "for one in values)", "for one in values if one)"),
    ],
)
def test_a_change_that_may_change_results_is_noticed(tmp_path: Path, file: str, before: str, after: str) -> None:
    text = FILES[f"core/{file}.py"].replace(before, after)
    assert digest_of(reached(tmp_path, **{file: text})) != digest_of(reached(tmp_path))


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("mean", "Of what is not too large.", "Of what is small."),
        ("mean", "values: list[float]) -> float", "values)"),
        ("mean", "SHARE = 0.5", "# Half.\nSHARE: float = 0.5"),
        ("mean", 'VERSION = "1"', 'VERSION = "2"'),
        ("mean", "return Bounds(values)", "return 1"),
        ("mean", "import math as maths", "import maths"),
        ("limits", "low: int = 1", "low: int = 2"),
    ],
)
def test_prose_types_and_what_the_asset_does_not_use_are_not(
    tmp_path: Path, file: str, before: str, after: str
) -> None:
    text = FILES[f"core/{file}.py"].replace(before, after)
    assert text != FILES[f"core/{file}.py"]
    assert digest_of(reached(tmp_path, **{file: text})) == digest_of(reached(tmp_path))


def test_a_definition_that_moves_to_another_module_is_the_same(tmp_path: Path) -> None:
    before = digest_of(reached(tmp_path))
    moved = MEAN.replace("from emovid_assets.core.limits import LIMIT, Bounds", "LIMIT = 3")
    assert digest_of(reached(tmp_path, mean=moved)) == before


def test_an_asset_with_other_code_and_the_same_version_is_named_with_what_has_changed(tmp_path: Path) -> None:
    old = {name: reached(tmp_path, name) for name in ("brightness", "other")}
    known = {"assets": {name: {"code_version": "1"} for name in old}, **code_facts(old)}
    new = {**old, "brightness": reached(tmp_path, limits=LIMITS.replace("3", "4"))}
    (sentence,) = undecided(known, known["assets"], new)
    assert sentence.startswith("asset brightness reaches core code that has changed (core.limits.LIMIT): raise its ")
    raised = {**known["assets"], "brightness": {"code_version": "2"}}
    assert undecided(known, raised, new) == []
    assert undecided(known, known["assets"], old) == []
