"""Records of methods: what they say of themselves, and that their functions exist."""

import subprocess
import sys
from dataclasses import dataclass, fields
from typing import ClassVar

import pytest

from qsmstudy.options import Section, option, sections_in
from qsmstudy.recon import methods
from qsmstudy.recon import options as recon_options

ALL = [
    (known.option, method)
    for known in vars(methods).values()
    if isinstance(known, methods.Methods)
    for method in known.values()
]


@dataclass(frozen=True, kw_only=True)
class Example(Section):
    section: ClassVar[str] = "example"

    step_mm: float = option(2.5, meaning="step", unit="mm")
    steps: int = option(3, meaning="steps")
    kernel: str = option("flat", meaning="kernel")


def method(words, *names):
    return methods.Method(name="m", function="math:fsum", title="M", words=words, options=names)


def test_words_without_options_are_followed_by_them():
    text = method("summing", "step_mm", "steps", "kernel").described(Example())
    assert text == "summing (step 2.5 mm, steps 3, kernel flat)"


def test_options_that_stand_in_the_words_or_elsewhere_are_not_repeated():
    one = method("summing in {steps:g} steps", "steps", "kernel", "step_mm")
    assert one.described(Example(), stated=["kernel"]) == "summing in 3 steps (step 2.5 mm)"
    assert method("summing").described(Example()) == "summing"


@pytest.mark.parametrize(("name", "one"), ALL)
def test_every_record_names_a_function_and_options_of_its_section(name, one):
    assert callable(one.load())
    section = sections_in(recon_options)[name.split(".")[0]]
    assert set(one.options) <= {item.name for item in fields(section)}
    assert one.effective_options(section()) is not None


def test_the_records_and_the_options_need_no_numerical_package():
    code = (
        "import sys, qsmstudy.recon.options, qsmstudy.regions.options, qsmstudy.study.options\n"
        "print({'numpy', 'pandas', 'scipy', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
