"""Nothing that the study reads is ever executed: no code from text, no pickles, no shell.

A dataset, a table, a configuration file and a name in them come from elsewhere.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest
from snakemake import parser

from qsmstudy.stats import catalogue

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path for name in ("src", "scripts", "workflow") for path in (ROOT / name).rglob("*.py")
)

BUILTINS = {"eval", "exec", "compile", "__import__", "execfile"}
#: Modules that execute what they load, or what they are given.
FORBIDDEN_MODULES = {
    "cloudpickle", "code", "codeop", "commands", "dill", "joblib", "jsonpickle", "marshal",
    "pickle", "runpy", "shelve",
}  # fmt: skip
#: Functions by module that start a shell, or load objects.
FORBIDDEN_CALLS = {
    "os": {"popen", "system"},
    "subprocess": {"getoutput", "getstatusoutput"},
    "snakemake": {"shell"},
    "yaml": {
        "full_load", "full_load_all", "load", "load_all", "unsafe_load", "unsafe_load_all",
    },
    "pandas": {"eval", "read_pickle"},
    "pd": {"eval", "read_pickle"},
    "asyncio": {"create_subprocess_shell"},
}  # fmt: skip
#: Methods, whatever they are called on.
FORBIDDEN_METHODS = {"read_pickle", "to_pickle", "unsafe_load"}
FORBIDDEN_KEYWORDS = {"shell", "allow_pickle"}


def hidden_code(text):
    """Return the lines of a module where text, a pickle or a shell command would be executed."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            roots = {alias.name.split(".")[0] for alias in node.names}
            bad = roots & FORBIDDEN_MODULES
        elif isinstance(node, ast.ImportFrom):
            root = (node.module or "").split(".")[0]
            bad = {root} & FORBIDDEN_MODULES
            bad |= {alias.name for alias in node.names} & FORBIDDEN_CALLS.get(root, set())
        elif isinstance(node, ast.Name):
            bad = {node.id} & BUILTINS
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            bad = {node.attr} & (FORBIDDEN_CALLS.get(owner, set()) | FORBIDDEN_METHODS)
            bad |= {node.attr} & BUILTINS if owner == "builtins" else set()
        elif isinstance(node, ast.keyword):
            off = isinstance(node.value, ast.Constant) and node.value.value is False
            bad = set() if off else {node.arg} & FORBIDDEN_KEYWORDS
        else:
            continue
        found += [f"line {node.lineno}: {name}" for name in sorted(bad)]
    return found


@pytest.fixture(scope="module")
def compiled(workflow):
    """Return the Python that Snakemake makes of all files of rules."""
    return "\n".join(parser.parse(path, workflow, {})[0] for path in workflow.included)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_executes_nothing_it_reads(path):
    assert hidden_code(path.read_text(encoding="utf-8")) == []


def test_rules_execute_nothing_they_read(compiled):
    assert hidden_code(compiled) == []


def test_rules_run_scripts_and_no_shell(compiled):
    tree = ast.parse(compiled)
    assert not any(isinstance(node, ast.Name) and node.id == "shell" for node in ast.walk(tree))
    uses = Counter(
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "workflow"
    )
    assert uses["rule"] + uses["checkpoint"] == uses["script"] + uses["norun"]
    # Every script has a rule, and one directive in a loop makes the rules of all statistics.
    scripts = len(list((ROOT / "scripts").glob("*.py")))
    assert uses["script"] == scripts - len(catalogue.rule_tables()) + 1 > 30
    assert uses.keys().isdisjoint({"shellcmd", "notebook", "wrapper", "cwl", "template_engine"})


@pytest.mark.parametrize(
    "text",
    [
        "eval(text)",
        "import pickle",
        "from pickle import loads",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import numpy as np\nnp.load(path, allow_pickle=flag)",
        "import os\nos.system(text)",
        "from os import system",
        "import subprocess\nsubprocess.run(text, shell=True)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "from yaml import load",
        "table.to_pickle(path)",
        "run = exec",
    ],
)
def test_hidden_code_is_found(text):
    assert len(hidden_code(text)) == 1


def test_safe_ways_are_let_through():
    text = "re.compile(p)\nyaml.safe_load(t)\nnp.load(p, allow_pickle=False)\nsubprocess.run([a])"
    assert hidden_code(text) == []
