"""Validate the docstrings of everything public, as `make lint` does.

Public is what a package of `PACKAGES` exports (of `skvae.networks`, `BODIES` alone: the
rest is for the models), and of an exported class the public
methods and properties that skvae itself defines. The checks and the exclusions are
those of ``[tool.numpydoc_validation]`` in pyproject.toml. Offenders are printed, and
the exit status is 1 if there are any.
"""

import importlib
import inspect
import re
import sys
import tomllib
from pathlib import Path

from numpydoc.validate import ERROR_MSGS, validate

PACKAGES = [
    "skvae",
    "skvae.datasets",
    "skvae.inspection",
    "skvae.metrics",
    "skvae.networks",
    "skvae.selection",
    "skvae.tables",
]
BODIES = ["ConvDecoder", "ConvEncoder", "MLP"]
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def read_settings():
    """Return the codes to check and the pattern of names to leave out."""
    with PYPROJECT.open("rb") as file:
        settings = tomllib.load(file)["tool"]["numpydoc_validation"]
    listed = set(settings["checks"])
    # As numpydoc reads it: beside "all", a code is one to leave out.
    codes = set(ERROR_MSGS) - listed if "all" in listed else listed
    return codes, re.compile("|".join(settings.get("exclude", [])) or "(?!)")


def public_names():
    """Yield the dotted name of everything public."""
    for package_name in PACKAGES:
        package = importlib.import_module(package_name)
        names = BODIES if package_name == "skvae.networks" else package.__all__
        for name in names:
            exported = getattr(package, name)
            yield f"{package_name}.{name}"
            if inspect.isclass(exported):
                for member in public_members(exported):
                    yield f"{package_name}.{name}.{member}"


def public_members(cls):
    """Yield the names of methods and properties that skvae defines."""
    for name in dir(cls):
        if name.startswith("_"):
            continue
        member = inspect.getattr_static(cls, name)
        member = getattr(member, "fget", None) or getattr(member, "__func__", member)
        member = inspect.unwrap(member)
        is_ours = getattr(member, "__module__", "").split(".")[0] == "skvae"
        if inspect.isfunction(member) and is_ours:
            yield name


def offences(name, codes):
    """Yield what numpydoc finds wrong with one docstring."""
    for code, message in validate(name)["errors"]:
        if code in codes:
            yield f"{name}: {code} {message}"


def main():
    codes, left_out = read_settings()
    names = [name for name in public_names() if not left_out.search(name)]
    found = [offence for name in names for offence in offences(name, codes)]
    for offence in found:
        print(offence)
    print(f"{len(names)} public docstrings, {len(found)} offences.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
