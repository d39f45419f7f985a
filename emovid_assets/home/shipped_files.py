"""Where the files that travel with the package but are not Python are: `dagster.yaml`, `workspace.yaml`, `sql`.

Belongs here: finding them in a checkout and in an installed wheel, and whether they are other files than they were.
Does not belong here: reading them.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

SOURCES_TAG = "emovid.sources"
"""Of a materialisation: `sources_digest` of what it was drawn by."""


def shipped_file(name: str, *, package: Path = _PACKAGE) -> Path:
    """Absolute path of the file or folder `name` of the project.

    A wheel carries it in `emovid_assets/_project`; a checkout has it beside the package, next to
    `pyproject.toml`. `package` is the folder of the package itself.

    Raises FileNotFoundError where it is in neither place.
    """
    in_wheel = package / "_project" / name
    if in_wheel.exists():
        return in_wheel
    root = package.parent
    in_checkout = root / name
    # site-packages is also "beside the package", and a `sql` folder there belongs to somebody else.
    if (root / "pyproject.toml").is_file() and in_checkout.exists():
        return in_checkout
    raise FileNotFoundError(
        f"the project file {name!r} is neither in {in_wheel.parent} nor in a checkout around {root}: "
        "install emovid-assets again, or work in a complete checkout"
    )


@lru_cache
def sources_digest(asset: str) -> str:
    """16 hex digits of the files that `catalogue` or `dataset_report` is drawn by: the views, and for the report also
    the code of its pages and charts. No code version tells of them."""
    folders = [shipped_file("sql")]
    if asset == "dataset_report":
        folders += [_PACKAGE / "report", _PACKAGE / "drawing"]
    return digest_of(path for folder in folders for path in folder.rglob("*") if path.suffix in (".sql", ".py"))


@lru_cache
def package_digest() -> str:
    """16 hex digits of the code of the package."""
    return digest_of(_PACKAGE.rglob("*.py"))


def digest_of(paths: Iterable[Path]) -> str:
    """16 hex digits of names and contents."""
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(f"{path.relative_to(_PACKAGE.parent)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]
