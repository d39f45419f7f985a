"""Where the files that travel with the package but are not Python are: `dagster.yaml`, `workspace.yaml`, `sql`.

Belongs here: finding them in a checkout and in an installed wheel. Does not belong here: reading them.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


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
