"""What the documentation names exists, and the commands of the README can be run."""

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
IGNORED = {".git", ".venv", ".snakemake", "results", "node_modules"}
PAGES = [
    path
    for path in sorted(ROOT.rglob("*.md"))
    if not IGNORED & set(path.relative_to(ROOT).parts) and ".egg-info" not in str(path)
]
#: Records of their time: files that they name may have moved since.
HISTORY = [ROOT / "CHANGELOG.md", *sorted((ROOT / "docs" / "decisions").glob("*.md"))]
CURRENT = [path for path in PAGES if path not in HISTORY]
#: Folders of the repository; `a/b` in backticks that begins with one of them is a path in it.
FOLDERS = (
    *(".ci", "benchmarks", "config", "docs", "envs", "profiles", "resources", "scripts", "src"),
    *("tests", "workflow"),
)
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
#: What a reader puts in the place of these words.
PLACEHOLDERS = ("DIR", "OUT", "FILE", "mine.yaml", "paper.yaml")


def of(pages):
    return pytest.mark.parametrize("page", pages, ids=lambda p: str(p.relative_to(ROOT)))


def prose(page):
    """The text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)


def anchors(page):
    """The anchors that a page's headings have on code hosts."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page):
    """The commands in a page's blocks of bash, continued lines joined, without comments."""
    blocks = re.findall(r"^```bash\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@of(PAGES)
def test_links_lead_to_files_and_headings(page):
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@of(CURRENT)
def test_paths_in_backticks_exist(page):
    words = re.findall(r"`([^`\n]+)`", prose(page))
    paths = [w for w in words if re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w./*-]*", w)]
    assert [path for path in paths if not any(ROOT.glob(path.rstrip("/")))] == []


def test_pages_named_in_code_exist():
    """Comments and messages name pages by their path, decisions also by their number."""
    suffixes = {".py", ".smk", ".yaml", ".yml", ".toml", ".cff", ""}
    sources = [
        path
        for folder in (ROOT, *(ROOT / name for name in FOLDERS))
        for path in (folder.iterdir() if folder == ROOT else folder.rglob("*"))
        if path.is_file() and path.suffix in suffixes and path != Path(__file__)
    ]
    named = {
        (str(path.relative_to(ROOT)), name)
        for path in sources
        for name in re.findall(
            r"(?<![\w/])docs/[\w/-]+(?:\.md)?", path.read_text(encoding="utf-8", errors="ignore")
        )
    }
    assert {(where, name) for where, name in named if not any(ROOT.glob(f"{name}*"))} == set()


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_readme_is_found_by_the_workflow_catalog():
    text = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in text
    assert "workflow" in text
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) <= {"mandatory-flags", "software-stack-deployment"}
    assert usage["software-stack-deployment"] == {"conda": True, "report": True}


def test_every_page_is_in_the_index():
    index = ROOT / "docs" / "README.md"
    links = {(index.parent / link.partition("#")[0]).resolve() for link in
             re.findall(r"\]\(([^)\s]+)\)", index.read_text())}  # fmt: skip
    pages = {path for path in (ROOT / "docs").rglob("*.md") if path not in HISTORY} - {index}
    assert {path for path in pages if not links & {path, *path.parents}} == set()


@of(CURRENT)
def test_commands_name_targets_options_and_files_that_exist(page, rules):
    makefile = (ROOT / "Makefile").read_text()
    for words in commands(page):
        if words[0] == "make":
            for target in words[1:]:
                assert re.search(rf"^{target}:", makefile, re.M), target
        if words[0] != "snakemake":
            continue
        flag, targets = "", True
        for word in words[1:]:
            if word.startswith("--"):
                flag, targets = word, False
            elif targets:
                assert word in rules, word
            elif flag == "--configfile" and word not in PLACEHOLDERS:
                assert (ROOT / word).is_file(), word
            elif flag == "--workflow-profile":
                assert (ROOT / word).is_dir(), word
            elif flag == "--config":
                assert word.partition("=")[0] in CONFIG, word


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Two participants by name alone: a plan looks at no image."""
    root = tmp_path_factory.mktemp("dataset")
    for sub in ("sub-01", "sub-35"):
        files = [
            f"{sub}/anat/{sub}_echo-{echo}_part-{part}_MEGRE.{end}"
            for echo in (1, 2, 3)
            for part in ("mag", "phase")
            for end in ("nii.gz", "json")
        ] + [f"derivatives/raters/{sub}/anat/{sub}_desc-rater{rater}_dseg.nii.gz" for rater in "AB"]
        for name in files:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            echo = re.search(r"echo-(\d)", name)
            sidecar = {"EchoTime": 0.005 * int(echo[1]) if echo else 0, "MagneticFieldStrength": 3}
            path.write_text(json.dumps(sidecar) if name.endswith("json") else "")
    labels = (ROOT / "resources" / "labels.tsv").read_text()
    (root / "derivatives" / "raters" / "dseg.tsv").write_text(labels)
    header, *rows = (ROOT / "resources/cohort/participants.tsv").read_text().splitlines()
    kept = [row for row in rows if row.startswith(("sub-01\t", "sub-35\t"))]
    (root / "participants.tsv").write_text("\n".join([header, *kept]) + "\n")
    return root


README_COMMANDS = [words for words in commands(ROOT / "README.md") if words[0] == "snakemake"]


@pytest.mark.parametrize("words", README_COMMANDS, ids=" ".join)
def test_commands_of_the_readme_plan(words, dataset, tmp_path):
    cohort = ROOT / "resources" / "cohort"
    given = {
        "bids_dir=DIR": f"bids_dir={dataset}",
        "roi_values=FILE": f"roi_values={cohort / 'roi_values.tsv'}",
        "participants=FILE": f"participants={cohort / 'participants.tsv'}",
        "output_dir=OUT": f"output_dir={tmp_path / 'out'}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *(given.get(word, word) for word in words[1:]),
         "--dry-run", "--quiet", "rules"],
        cwd=ROOT, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def citation():
    """CITATION.cff as JSON has it: dates are text."""
    content = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in content.items()}


def test_citation_file_is_valid():
    schema = ROOT / "tests" / "data" / "citation_file_format" / "schema-1.2.0.json"
    validator = jsonschema.Draft7Validator(
        json.loads(schema.read_text()), format_checker=jsonschema.FormatChecker()
    )
    assert [error.message for error in validator.iter_errors(citation())] == []


def test_codecheck_names_only_outputs_of_the_default_study(rules):
    text = (ROOT / "codecheck.yml").read_text()
    assert re.search(r"^---$", text, re.M)  # the specification asks for an explicit document
    check = yaml.safe_load(text)
    made = {str(path) for rule in rules.values() for path in rule.output}
    named = [item["file"] for item in check["manifest"]]
    assert set(named) <= made
    assert len(set(named)) == len(named)
    assert all(item["comment"] for item in check["manifest"])


def test_codecheck_and_citation_name_the_same_paper():
    paper = yaml.safe_load((ROOT / "codecheck.yml").read_text())["paper"]
    cited = next(item for item in citation()["references"] if item["type"] == "article")
    assert paper["title"] == cited["title"]
    assert paper["reference"] == f"https://doi.org/{cited['doi']}"
    people = [f"{a['given-names']} {a['family-names']}" for a in cited["authors"]]
    authors = [author["name"] for author in paper["authors"]]
    assert authors == [citation()["authors"][0]["name"], *people]
