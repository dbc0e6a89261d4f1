"""What a result depends on: the code behind a script, the packages it uses, the commit.

Snakemake notices a changed parameter but not a changed library function. A fingerprint of
the code that a script can reach, passed as a parameter of the rule, closes that gap: edit a
function, and exactly the rules whose scripts use it run again. Comments, docstrings and
formatting do not count.
"""

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "qsmstudy"
#: Distributions whose name is not that of the package they install.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}

#: Arguments of `qsmstudy.options.option` that only explain: as a docstring, they change no result.
EXPLANATIONS = frozenset({"meaning", "source"})
_ROOT = Path(__file__).parents[1]
_LOCKS = _ROOT.parents[1] / "envs"
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^ ;\\\n]+)", re.MULTILINE)


def fingerprint(script: Path, settings: Mapping[str, Any] | None = None) -> str:
    """Return a short hash of a script, the package code it reaches, and its settings.

    Parameters
    ----------
    script : Path
        Python script.
    settings : mapping, optional
        Parameters by name; Snakemake itself compares values without their names.

    Returns
    -------
    str
        Twelve hexadecimal digits.

    Notes
    -----
    The closure is static and by definition: a top-level function, class or constant counts
    when its name is reachable from the script, with the version that the locks pin of every other
    distribution that the reached modules import. The pin and not what is installed: Snakemake may
    plan where only it is installed, and the plan must be the same. A name built at run time is
    not seen.
    """
    parts = sorted(closure(script).items())
    text = json.dumps([parts, settings], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def closure(script: Path) -> dict[str, str]:
    """Map everything a script's result depends on to a hash or a version.

    Returns
    -------
    dict
        ``"<script>"`` and ``"module:name"`` to a hash of the definition,
        the name of another package to its version.
    """
    start = _Module(_parse(script))
    found = {Path(script).name: _hash(start.tree.body)}
    pending = list(start.references(start.tree.body))
    third_party = set(start.third_party)
    seen_modules: set[str] = set()
    while pending:
        module_name, name = pending.pop()
        key = f"{module_name}:{name}"
        if key in found or key == f"{PACKAGE}:__version__":  # a release alone changes no result
            continue
        module = _module(module_name)
        if module is None:
            continue
        third_party |= module.third_party
        if module_name not in seen_modules:
            seen_modules.add(module_name)
            found[f"{module_name}:<statements>"], mentioned = module.piece("<statements>")
            pending += mentioned
        if name in module.imports:
            pending.append(module.imports[name])
        if name == "*" or name in module.definitions:
            found[key], mentioned = module.piece(name)
            pending += mentioned
        elif _module(f"{module_name}.{name}") is not None:
            pending.append((f"{module_name}.{name}", "*"))
    return found | {name: _version(name) for name in third_party}


class _Module:
    """The top-level names of a module, or of a script (no name), and what its code mentions."""

    def __init__(self, tree: ast.Module, name: str | None = None) -> None:
        self.tree = tree
        self.name = name
        self.definitions: dict[str, list[ast.stmt]] = {}
        self.statements: list[ast.stmt] = []
        self.imports: dict[str, tuple[str, str]] = {}
        self.third_party: set[str] = set()
        self._pieces: dict[str, tuple[str, list[tuple[str, str]]]] = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                self.definitions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    for leaf in ast.walk(target):
                        if isinstance(leaf, ast.Name):
                            self.definitions.setdefault(leaf.id, []).append(node)
            elif not _imports_only_ours(node):
                self.statements.append(node)
        for item in ast.walk(tree):
            self._note_import(item)

    def _note_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _ours(alias.name):
                    bound = alias.asname or alias.name.split(".")[0]
                    self.imports[bound] = (alias.name if alias.asname else PACKAGE, "")
                else:
                    self.third_party.add(alias.name.split(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.module:
            if not _ours(node.module):
                self.third_party.add(node.module.split(".")[0])
                return
            for alias in node.names:
                bound = alias.asname or alias.name
                submodule = f"{node.module}.{alias.name}"
                is_module = _module(submodule) is not None
                self.imports[bound] = (submodule, "") if is_module else (node.module, alias.name)

    def piece(self, name: str) -> tuple[str, list[tuple[str, str]]]:
        """Return the hash of a definition, and what it mentions; ``*`` is the whole module.

        Remembered: most scripts reach the same definitions, and every Snakemake that starts, on a
        cluster one per step, pays for it.
        """
        if name not in self._pieces:
            whole = {"*": self.tree.body, "<statements>": self.statements}
            nodes = whole.get(name) or self.definitions.get(name, [])
            self._pieces[name] = _hash(nodes), list(dict.fromkeys(self.references(nodes)))
        return self._pieces[name]

    def references(self, nodes: list[ast.stmt]) -> Iterator[tuple[str, str]]:
        """Yield (module, name) for every package name that the nodes mention."""
        for node in nodes:
            covered: set[int] = set()
            for item in ast.walk(node):
                if isinstance(item, ast.Attribute):
                    dotted = _dotted(item)
                    if dotted and dotted[0] in self.imports:
                        yield from self._resolve(dotted)
                        covered |= {id(leaf) for leaf in ast.walk(item)}
                elif isinstance(item, ast.Constant) and isinstance(item.value, str):
                    yield from _entry_point(item.value)
                elif isinstance(item, ast.Name) and id(item) not in covered:
                    if item.id in self.imports:
                        module, name = self.imports[item.id]
                        yield module, name or "*"
                    elif self.name and item.id in self.definitions:
                        yield self.name, item.id

    def _resolve(self, dotted: list[str]) -> Iterator[tuple[str, str]]:
        module, name = self.imports[dotted[0]]
        if name:
            yield module, name
            return
        for part in dotted[1:]:
            if _module(f"{module}.{part}") is None:
                yield module, part
                return
            module = f"{module}.{part}"
        yield module, "*"


def _entry_point(text: str) -> Iterator[tuple[str, str]]:
    """Yield (module, name) for a text such as ``qsmstudy.recon.medi:medi``, a method's function."""
    module, _, name = text.partition(":")
    if name.isidentifier() and _module(module) is not None:
        yield module, name


def _imports_only_ours(node: ast.stmt) -> bool:
    """Tell whether a statement imports from this package; other imports count as code."""
    if isinstance(node, ast.ImportFrom):
        return _ours(node.module or "")
    return isinstance(node, ast.Import) and all(_ours(alias.name) for alias in node.names)


def _dotted(node: ast.Attribute) -> list[str]:
    parts = [node.attr]
    value = node.value
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    return [value.id, *reversed(parts)] if isinstance(value, ast.Name) else []


def _ours(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


@cache
def _module(name: str) -> _Module | None:
    if not _ours(name):
        return None
    base = _ROOT.joinpath(*name.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return _Module(_parse(path), name)
    return None


def _parse(path: Path) -> ast.Module:
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", None) == "option":
            node.keywords = [item for item in node.keywords if item.arg not in EXPLANATIONS]
    return tree


def _hash(nodes: list[ast.stmt]) -> str:
    text = "\n".join(ast.dump(node) for node in nodes)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _pins() -> dict[str, str]:
    """Return the versions that the locks pin, by distribution: several where Pythons differ."""
    found: dict[str, set[str]] = {}
    for lock in _LOCKS.glob("requirements*.lock"):
        for name, version in _PIN.findall(lock.read_text(encoding="utf-8")):
            found.setdefault(_normal(name), set()).add(version)
    return {name: " ".join(sorted(versions)) for name, versions in found.items()}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(package: str) -> str:
    if package in sys.stdlib_module_names:
        return "standard library"
    return _pins().get(_normal(DISTRIBUTIONS.get(package, package)), "not pinned")


def with_contents(code: str, paths: Iterable[str | Path]) -> str:
    """Return a fingerprint of code and of the files it is given.

    So a file replaced by other content counts as changed whatever its date says.
    """
    found = sorted({str(path): content(str(path)) for path in paths}.items())
    if not found:
        return code
    # Not the paths: a dataset that has moved holds what it held.
    text = json.dumps([value for _, value in found])
    return f"{code} {hashlib.sha256(text.encode()).hexdigest()[:12]}"


@cache
def content(path: str) -> str:
    """Return a short text that changes with a file's content, without reading all of it.

    Notes
    -----
    Of a gzip file, its size, its beginning and its end, which holds the checksum (CRC-32) and
    the length of what was compressed; of another file up to 1 MB, all of it; of a larger one,
    size, date, beginning and end. Read once per process: what changes during a run is seen by
    the next.
    """
    block = 4096
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            compressed = path.endswith(".gz")
            if not compressed and size <= 2**20:
                return hashlib.sha256(file.read()).hexdigest()
            ends = file.read(block)
            file.seek(max(size - block, 0))
            ends += file.read()
            date = None if compressed else Path(path).stat().st_mtime_ns
    except OSError as error:
        return type(error).__name__
    return f"{size} {date} {hashlib.sha256(ends).hexdigest()}"


def git_commit(folder: Path = _ROOT) -> str:
    """Return the commit of a working tree, with ``+changes`` when it differs, or ``unknown``.

    Without a folder: of the tree from which this package runs.
    """
    try:
        commit, status = (
            subprocess.run(
                ["git", "-C", str(folder), *arguments],
                capture_output=True,
                text=True,
                check=True,
                timeout=30,
            ).stdout.strip()
            for arguments in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{commit}+changes" if status else commit


def file_hash(path: Path) -> str:
    """Return the first twelve hexadecimal digits of a file's SHA-256."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
