"""Programs that tests run and this project does not bring."""

import os
import shutil

import pytest


def find_program(name: str, *folders: str, advice: str = "") -> str:
    """The path of a program, which may also lie in these folders; where there is none, a reason to skip, and in CI a
    failure."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        why = f"{name} is not installed{advice}"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found
