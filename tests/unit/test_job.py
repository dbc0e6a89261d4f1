import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from qsmstudy.errors import StudyError
from qsmstudy.options import Section, option, schema_of
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
from dataclasses import dataclass
from pathlib import Path
from qsmstudy.errors import StudyError
from qsmstudy.options import Section, option, schema_of
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


@dataclass(frozen=True, kw_only=True)
class Filter(Section):
    """A filter."""

    section: ClassVar[str] = "smooth"

    radius_mm: float = option(5.0, meaning="radius", unit="mm", schema={"exclusiveMinimum": 0})
    shape: str = option("ball", meaning="of the kernel", words={"ball": "a ball", "box": "a box"})
    sizes: list[int] = option(meaning="voxels")


def smoothed(*, image: Path, options: Filter, other: Filter):
    """Smooth an image."""


def test_param_that_is_a_section_arrives_as_its_dataclass():
    params = Named(options={"radius_mm": 2, "shape": "box", "sizes": [1]}, other={"sizes": [2]})
    made = SimpleNamespace(input=Named(image="x.nii"), output=Named(), params=params)
    found = job.job_arguments(smoothed, made)
    assert found["options"] == Filter(radius_mm=2, shape="box", sizes=[1])
    assert found["other"] == Filter(sizes=[2])


def test_options_of_a_section_have_a_flag_each():
    words = ["--image", "x", "--shape", "box", "--sizes", "[1, 2]", "--other-sizes", "[3]"]
    found = job.parse_command_line(smoothed, words)
    assert found["options"] == Filter(shape="box", sizes=[1, 2])
    assert found["other"] == Filter(sizes=[3])


def weighed(*, shape: Path, options: Filter):
    """Weigh a shape."""


def test_option_that_is_called_as_another_param_carries_its_params_name():
    words = ["--shape", "x.nii", "--options-shape", "box", "--sizes", "[1]"]
    found = job.parse_command_line(weighed, words)
    assert found == {"shape": Path("x.nii"), "options": Filter(shape="box", sizes=[1])}


def test_configuration_file_gives_the_flags_defaults(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("smooth: {radius_mm: 1.5, sizes: [4]}\n")
    found = job.parse_command_line(
        smoothed, ["--image", "x", "--configfile", str(file), "--shape", "box"]
    )
    assert found["options"] == Filter(radius_mm=1.5, shape="box", sizes=[4])
    assert found["other"] == Filter(radius_mm=1.5, sizes=[4])


def test_help_tells_meaning_unit_default_and_words(capsys):
    with pytest.raises(SystemExit):
        job.parse_command_line(smoothed, ["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "radius [mm] (default: 5.0)" in text
    assert 'of the kernel; ball | box (default: "ball")' in text


@dataclass(frozen=True, kw_only=True)
class Scan(Section):
    """A scan."""

    echoes: str | int = option("most", meaning="wanted", words={"most": "", "any": ""})
    levels: list[str] = option(["low"], meaning="kept", words={"low": "", "high": ""})
    filter: Filter = option(Filter(sizes=[1]), meaning="its filter")


def scanned(*, options: Scan):
    """Scan something."""


def test_type_without_a_word_is_free_beside_the_words():
    assert Scan(echoes=3).echoes == 3
    assert schema_of(Scan)["properties"]["echoes"] == {
        "anyOf": [{"enum": ["most", "any"]}, {"type": "integer"}]
    }
    with pytest.raises(StudyError, match=r"echoes: must be one of most, any; got 'moost'"):
        Scan(echoes="moost")


def test_words_of_a_list_are_those_of_its_elements():
    assert schema_of(Scan)["properties"]["levels"] == {
        "type": "array", "items": {"enum": ["low", "high"]}
    }  # fmt: skip
    with pytest.raises(StudyError, match=r"levels: must be one of low, high; got 'hih'"):
        Scan(levels=["low", "hih"])


def test_section_in_a_section_is_described_and_taken_in_part(capsys):
    found = job.parse_command_line(scanned, ["--filter", "{radius_mm: 1.5, sizes: [2]}"])
    assert found["options"].filter == Filter(radius_mm=1.5, sizes=[2])
    with pytest.raises(SystemExit):
        job.parse_command_line(scanned, ["--help"])
    assert "radius_mm: radius [mm]" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--radius-mm", "-1"], "smooth.radius_mm: -1 is less than"),
        (["--radius-mm", "wide"], "smooth.radius_mm: 'wide' is not of type 'number'"),
        (["--shape", "bal"], "Did you mean ball"),
        (["--sizes", "[a]"], "smooth.sizes.0: 'a' is not of type 'integer'"),
    ],
)
def test_value_that_breaks_the_rule_of_its_option_is_refused(words, says):
    given = ["--image", "x", "--sizes", "[1]", "--other-sizes", "[1]"]
    with pytest.raises(StudyError) as error:
        job.parse_command_line(smoothed, [*given, *words])
    assert says in str(error.value)


def test_configuration_file_with_an_option_that_is_none_is_refused(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("smooth: {raduis_mm: 1.5, sizes: [4]}\n")
    with pytest.raises(StudyError, match="unknown key raduis_mm; did you mean radius_mm"):
        job.parse_command_line(smoothed, ["--image", "x", "--configfile", str(file)])
    with pytest.raises(StudyError, match=r"--configfile nowhere\.yaml: No such file"):
        job.parse_command_line(smoothed, ["--image", "x", "--configfile", "nowhere.yaml"])


def test_word_that_is_not_allowed_is_refused_with_the_closest():
    with pytest.raises(
        StudyError, match=r"smooth\.shape: must be one of ball, box; got 'bal'.*ball\?"
    ):
        Filter(shape="bal", sizes=[])


def test_option_without_a_default_must_be_given():
    with pytest.raises(StudyError, match="smooth: sizes must be given"):
        Filter.of({"radius_mm": 1})


def test_schema_follows_from_the_declaration():
    assert schema_of(Filter) == {
        "type": "object",
        "additionalProperties": False,
        "required": ["radius_mm", "shape", "sizes"],
        "properties": {
            "radius_mm": {"type": "number", "exclusiveMinimum": 0},
            "shape": {"enum": ["ball", "box"]},
            "sizes": {"type": "array", "items": {"type": "integer"}},
        },
    }
