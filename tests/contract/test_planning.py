"""Planning imports the standard library and what Snakemake itself installs.

The jobs' packages may then come from conda, in environments that Snakemake makes after the plan.
"""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
#: Imports of the rule files: what reading the Snakefile imports of this package.
IMPORT = re.compile(r"^\s*(from qsmstudy\S* import .+?|import qsmstudy\S*)\s*$", re.MULTILINE)
#: Packages of this repository.
OURS = ("qsmstudy", "snakemake_logger_plugin_qsmstudy")
#: Runs statements where a package that Snakemake does not install cannot be imported.
ALONE = """
import sys, json
refused = set(json.loads(sys.argv[1]))

class Refuse:
    def find_spec(self, name, *_):
        if name.split(".")[0] in refused:
            raise ImportError(f"planning imports {name}")

sys.meta_path.insert(0, Refuse())
"""


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_by(name, seen):
    """Names of a distribution and of all that it requires."""
    if normal(name) in seen:
        return seen
    try:
        required = metadata.distribution(name).requires or []
    except metadata.PackageNotFoundError:  # of another platform
        return seen
    seen.add(normal(name))
    for line in required:
        if "extra ==" not in line:
            installed_by(re.match(r"[A-Za-z0-9_.-]+", line)[0], seen)
    return seen


def alone(statements, *arguments):
    allowed = installed_by("snakemake", set())
    refused = [
        package
        for package, distributions in metadata.packages_distributions().items()
        if not package.startswith(OURS) and not allowed & {normal(name) for name in distributions}
    ]
    assert {"numpy", "pandas", "nibabel", "scipy", "numba", "matplotlib"} <= set(refused)
    done = subprocess.run(
        [sys.executable, "-c", ALONE + statements, json.dumps(refused), *arguments],
        capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rule_files_import_nothing_that_snakemake_does_not_install():
    files = [ROOT / "Snakefile", *(ROOT / "workflow").rglob("*.smk")]
    imports = [line for path in files for line in IMPORT.findall(path.read_text())]
    assert len(imports) > 2
    alone("\n".join(imports))
    alone("import qsmstudy.run.progress")  # of the display of a run


def test_snakemake_alone_plans_the_workflow(tmp_path):
    """With the default profile; the whole Snakefile is read, and every job's params made."""
    planned = alone(
        """
import pkgutil
# Snakemake imports every plugin that is installed; the tests' environment has those of clusters.
everything = pkgutil.iter_modules
pkgutil.iter_modules = lambda *a, **k: (m for m in everything(*a, **k) if m.name not in refused)
from snakemake.cli import main
sys.argv = ["snakemake", "--snakefile", sys.argv[2], "--dry-run", "--quiet", "rules",
            "--workflow-profile", sys.argv[3], "--directory", sys.argv[4],
            "--config", "participant_label=[01]", "--", "chimaps"]
main()
""".replace('"participant_label=[01]"', "'participant_label=[\"01\"]'"),
        *(str(ROOT / name) for name in ("Snakefile", "profiles/default")),
        str(tmp_path),
    )
    assert re.search(r"invert_dipole +1\n", planned)


def test_study_of_each_kind_is_planned_by_what_snakemake_installs(tmp_path):
    def write(name, text=""):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    for part in ("mag", "phase"):
        write(f"bids/sub-01/anat/sub-01_part-{part}_MEGRE.nii")
    write("bids/MEGRE.json", "{}")
    write("bids/participants.tsv", "participant_id\tgroup\nsub-01\tHC\n")
    write("bids/dataset_description.json", '{"Name": "mine"}')
    write("dicoms/one/image.dcm")
    mapping = write("dicoms/mapping.tsv", "participant_id\tfolder\nsub-01\tone\n")
    decisions = write("d.tsv", "participant_id\tdecision\treason\nsub-02\texclude\tmoved\n")
    scans = write("scans.tsv", "scan\tused\nsub-01\tyes\nsub-02\tno\n")
    atlas = {"raters": ["atlas"]}
    studies = {
        "simulated": CONFIG | {"decisions": decisions},
        "bids": CONFIG | atlas | {"bids_dir": f"{tmp_path}/bids"},
        "dicom": CONFIG | atlas | {
            "dicom_dir": f"{tmp_path}/dicoms", "dicom_mapping": mapping, "n_echoes": 3,
            "participants": f"{tmp_path}/bids/participants.tsv",
        },
        "table": CONFIG | {"roi_values": "values.tsv", "participants": "people.tsv"},
    }  # fmt: skip
    planned = alone(
        """
from qsmstudy.dataset import dicom_mapping, scan_status
from qsmstudy.run import fingerprints
from qsmstudy.study.source import choose_source
for kind, config in json.loads(sys.argv[2]).items():
    source = choose_source(config, repository=".")
    source.check_files()
    source.check_whole_study()
    for scan in source.scans:
        source.sidecars(scan), source.given_labels(scan), source.brain_mask(scan)
    for dicoms in source.dicoms.values():
        assert dicom_mapping.state_of(dicoms.folder)
    assert source.kind == kind
    print(kind, len(source.scans), source.simulated)
assert scan_status.used_scans(sys.argv[3]) == ["sub-01"]
assert fingerprints.fingerprint(sys.argv[4])
""",
        json.dumps(studies),
        scans,
        str(ROOT / "scripts" / "invert_dipole.py"),
    )
    assert planned.split("\n")[:-1] == [
        "simulated 64 True", "bids 1 False", "dicom 1 False", "table 0 False",
    ]  # fmt: skip
