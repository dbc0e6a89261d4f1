import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from qsmstudy.run import job


def example(*, image: Path, echoes: list[Path], weight: float, own: Path | None = None):
    """Do something."""


class Named(dict):
    """As Snakemake's named lists: items() gives the named ones only."""


def test_job_items_become_typed_arguments():
    made = SimpleNamespace(
        input=Named(echoes="one.nii", own=[]),
        output=Named(image="x.nii"),
        params=Named(weight=2.0, code="abc"),
    )
    assert job.job_arguments(example, made) == {
        "echoes": [Path("one.nii")],
        "own": None,
        "image": Path("x.nii"),
        "weight": 2.0,
    }


def test_command_line_has_the_same_names():
    words = ["--image", "a", "--echoes", "b", "c", "--weight", "15e-1"]
    assert job.parse_command_line(example, words) == {
        "image": Path("a"),
        "echoes": [Path("b"), Path("c")],
        "weight": 1.5,
        "own": None,
    }


SCRIPT = """
from pathlib import Path
from qsmstudy.run import job
from qsmstudy.errors import StudyError

def main(*, what: str):
    raise {error}("sub-07: wrong")

if __name__ == "__main__":
    job.run(main)
"""


@pytest.mark.parametrize(("error", "traceback"), [("StudyError", False), ("RuntimeError", True)])
def test_only_unforeseen_errors_show_a_traceback(tmp_path, error, traceback):
    script = tmp_path / "s.py"
    script.write_text(SCRIPT.format(error=error))
    done = subprocess.run(
        [sys.executable, script, "--what", "x"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "sub-07: wrong" in done.stderr
    assert ("Traceback" in done.stderr) is traceback


@pytest.mark.parametrize("error", sorted(job.REMEDIES))
def test_file_system_that_refuses_is_named_with_a_remedy(tmp_path, error):
    script = tmp_path / "s.py"
    text = f"import os; raise OSError({error}, os.strerror({error}))"
    script.write_text(SCRIPT.replace('raise {error}("sub-07: wrong")', text))
    done = subprocess.run(
        [sys.executable, script, "--what", "x"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"{os.strerror(error)}. {job.REMEDIES[error]}" in done.stderr
    assert "Traceback" not in done.stderr
