"""What breaks a run: a clear message, no broken file, a rerun that completes with equal results."""

import csv
import gzip
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest

pytestmark = pytest.mark.faults

CHI = "derivatives/qsm/sub-01/anat/sub-01_Chimap.nii.gz"
LABELS = "derivatives/raters/sub-01/anat/sub-01_desc-rater{}_dseg.nii.gz"
MEASURED = {"measure_rois": 2}
RECONSTRUCTED = dict.fromkeys(
    ("fit_field", "unwrap_phase", "extract_brain", "remove_background", "invert_dipole"), 1
)


@pytest.fixture(scope="module")
def own(checkout, study, tmp_path_factory):
    """One scan of the simulated cohort as a user's dataset, measured: dataset, command, results."""
    bids = tmp_path_factory.mktemp("own") / "bids"
    shutil.copytree(study / "bids/sub-01", bids / "sub-01")
    (bids / "derivatives/raters/sub-01/anat").mkdir(parents=True)
    for name in (LABELS.format("A"), LABELS.format("B"), "derivatives/raters/dseg.tsv"):
        shutil.copy(study / "bids" / name, bids / name)
    out = bids.parent / "out"
    words = ["--cores", "1", "--config", f"bids_dir={bids}", f"output_dir={out}", "--"]
    checkout.snakemake(*words, "roi_values", config=None)

    def planned():
        """Plan the measurements by name: what lies behind the checkpoint is not in a dry run."""
        targets = [out / f"measurements/sub-01/sub-01_rater-{rater}.tsv" for rater in "AB"]
        jobs = checkout.planned(*map(str, targets), *words[2:-1], config=None)
        return {name: n for name, n in jobs.items() if name != "check_scan"}

    return SimpleNamespace(bids=bids, out=out, planned=planned)


class Replaced:
    """Replace a file's content under a date of long before; put it back, date and all, at exit."""

    def __init__(self, path, content):
        self.path, self.content = path, content

    def __enter__(self):
        self.before, stat = self.path.read_bytes(), self.path.stat()
        self.times = stat.st_atime_ns, stat.st_mtime_ns
        assert self.content != self.before
        self.path.write_bytes(self.content)
        os.utime(self.path, (1e9, 1e9))

    def __exit__(self, *_):
        self.path.write_bytes(self.before)
        os.utime(self.path, ns=self.times)


def image_with(path, change):
    """Return the bytes of an image with other values."""
    image = nib.load(path)
    values = change(np.asarray(image.dataobj)).astype(image.get_data_dtype())
    return gzip.compress(nib.Nifti1Image(values, image.affine, image.header).to_bytes(), mtime=0)


def one_bit_other(path):
    """Return the bytes of a compressed image one of whose values differs in a bit."""
    other = bytearray(gzip.decompress(path.read_bytes()))
    other[-1000] ^= 1
    return gzip.compress(bytes(other), mtime=0)


def test_finished_measurement_has_nothing_to_do(own):
    assert own.planned() == {}


def test_scan_replaced_under_an_older_date_is_reconstructed_anew(own):
    echo = own.bids / "sub-01/anat/sub-01_echo-2_part-mag_MEGRE.nii.gz"
    with Replaced(echo, one_bit_other(echo)):
        assert own.planned() == RECONSTRUCTED | MEASURED
    assert own.planned() == {}


def test_sidecar_replaced_under_an_older_date_is_seen(own):
    sidecar = own.bids / "sub-01/anat/sub-01_echo-2_part-phase_MEGRE.json"
    with Replaced(sidecar, sidecar.read_bytes().replace(b"0.0123", b"0.0124")):
        assert own.planned() == RECONSTRUCTED | MEASURED


def test_edited_label_map_is_measured_anew_and_nothing_else(own):
    labels = own.bids / LABELS.format("B")
    edited = image_with(labels, lambda values: np.where(values > 0, values % 14 + 1, 0))
    with Replaced(labels, edited):
        assert own.planned() == MEASURED | {"measure_rois": 1}


def test_edited_label_table_is_seen(own):
    table = own.bids / "derivatives/raters/dseg.tsv"
    with Replaced(table, table.read_bytes() + b"99\tother\tCN\tL\n"):
        assert own.planned() == MEASURED


def test_labels_edited_during_a_run_are_measured_anew_by_the_next(checkout, own, tmp_path):
    """The run that was planned before the edit ends; what it measured is not taken for current."""
    bids, out = tmp_path / "bids", tmp_path / "out"
    shutil.copytree(own.bids, bids)
    words = ["--cores", "1", "--config", f"bids_dir={bids}", f"output_dir={out}", "--"]
    run = subprocess.Popen(
        checkout.command(*words, "roi_values", config=None), cwd=checkout.folder,
        env=checkout.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 240
    while not (out / "scans/sub-01.json").exists():
        assert run.poll() is None, run.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    labels = bids / LABELS.format("B")
    edited = image_with(labels, lambda values: np.where(values > 0, values % 14 + 1, 0))
    with Replaced(labels, edited):
        assert not list(out.rglob("*_rater-B.tsv")), "the edit came too late for this test"
        output, _ = run.communicate(timeout=300)
        assert run.returncode == 0, output
        measured = [out / f"measurements/sub-01/sub-01_rater-{rater}.tsv" for rater in "AB"]
        plan = checkout.planned(*map(str, measured), *words[2:-1], config=None)
        assert plan.pop("measure_rois") == 1
        assert set(plan) <= {"check_scan"}
        checkout.snakemake(*words, "roi_values", config=None)
        assert checkout.planned(*map(str, measured), *words[2:-1], config=None) == {}
    before = [own.out / path.relative_to(out) for path in measured]
    assert [a.read_bytes() == b.read_bytes() for a, b in zip(measured, before, strict=True)] == [
        True,
        False,
    ]


def test_edited_participants_reach_the_tables(checkout, study, tmp_path):
    people = tmp_path / "people.tsv"
    shutil.copy(study / "bids/participants.tsv", people)
    table = tmp_path / "out/tables/table1.tsv"
    given = f"roi_values={study / 'tables/roi_values.tsv'}"
    words = ["--config", given, f"participants={people}", f"output_dir={tmp_path / 'out'}"]
    checkout.snakemake(str(table), "--cores", "1", *words)
    assert checkout.planned(str(table), *words) == {}
    lines = people.read_text(encoding="utf-8").splitlines(keepends=True)
    column = lines[0].split("\t").index("age")
    cells = lines[1].split("\t")
    cells[column] = str(int(float(cells[column])) + 1)
    edited = lines[0] + "\t".join(cells) + "".join(lines[2:])
    with Replaced(people, edited.encode()):
        assert checkout.planned(str(table), *words) == {"select_participants": 1, "table1": 1}


def test_dataset_of_links_gives_the_same_map_and_a_changed_target_is_seen(checkout, own, tmp_path):
    """As git-annex and DataLad keep one: every file is a link into another folder."""
    bids, out = tmp_path / "bids", tmp_path / "out"
    for path in filter(Path.is_file, own.bids.rglob("*")):
        link = bids / path.relative_to(own.bids)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    words = ["--config", f"bids_dir={bids}", f"output_dir={out}"]
    checkout.snakemake("chimaps", "--cores", "1", *words, config=None)
    assert (out / CHI).read_bytes() == (own.out / CHI).read_bytes()

    def planned():
        plan = checkout.planned(str(out / CHI), *words, config=None)
        return {name: n for name, n in plan.items() if name != "check_scan"}

    assert planned() == {}
    echo = own.bids / "sub-01/anat/sub-01_echo-2_part-mag_MEGRE.nii.gz"
    with Replaced(echo, one_bit_other(echo)):
        assert planned() == RECONSTRUCTED


#: What is done to the file of one echo, and the reason that is given for leaving the scan out.
DAMAGED = {
    "sub-11": (lambda c: b"", "not a readable NIfTI file"),
    "sub-12": (lambda c: c[: len(c) // 2], "not a readable NIfTI file"),
    "sub-13": (lambda c: c[:5000] + bytes([c[5000] ^ 0xFF]) + c[5001:], "not a readable NIfTI"),
    "sub-14": (lambda c: gzip.compress(b"", mtime=0), "not a readable NIfTI file"),
    "sub-15": (lambda c: claiming_slices(c, +1), "cannot hold|less"),
    "sub-16": (lambda c: claiming_slices(c, -1), "holds more"),
    "sub-17": (None, "echo 2"),
}


def claiming_slices(content, more):
    """Return a compressed image whose header claims more slices than it has, or fewer."""
    plain = bytearray(gzip.decompress(content))
    plain[46] += more  # bytes 46 and 47: the third of the sizes
    return gzip.compress(bytes(plain), mtime=0)


def test_scans_damaged_in_every_way_are_named_and_the_whole_one_goes_on(checkout, own, tmp_path):
    bids, out = tmp_path / "bids", tmp_path / "out"
    shutil.copytree(own.bids / "sub-01", bids / "sub-01")
    for sub, (change, _) in DAMAGED.items():
        (bids / sub / "anat").mkdir(parents=True)
        for path in (own.bids / "sub-01/anat").iterdir():
            shutil.copy(path, bids / sub / "anat" / path.name.replace("sub-01", sub))
        echo = bids / sub / f"anat/{sub}_echo-2_part-mag_MEGRE.nii.gz"
        if change:
            echo.write_bytes(change(echo.read_bytes()))
        else:
            echo.unlink()
    words = ["--cores", "1", "--config", f"bids_dir={bids}", f"output_dir={out}", "--"]
    done = checkout.snakemake(*words, "chimaps", config=None, check=False)
    assert done.returncode != 0
    assert f"{len(DAMAGED)} of {len(DAMAGED) + 1} scans are left out of the results" in done.stdout
    with (out / "tables/scans.tsv").open(encoding="utf-8") as file:
        reasons = {row["scan"]: row["reason"] for row in csv.DictReader(file, delimiter="\t")}
    for sub, (_, said) in DAMAGED.items():
        assert re.search(said, reasons[sub]), f"{sub}: {reasons[sub]}"
    maps = list(out.rglob("*_Chimap.nii.gz"))
    assert maps == [out / CHI]
    assert maps[0].read_bytes() == (own.out / CHI).read_bytes()
    for sub in DAMAGED:  # mended, the same run goes on
        for path in (own.bids / "sub-01/anat").iterdir():
            shutil.copy(path, bids / sub / "anat" / path.name.replace("sub-01", sub))
    plan = checkout.planned("chimaps", *words[2:-1], config=None)
    assert plan["check_scan"] == len(DAMAGED)


@pytest.mark.parametrize(
    "name", [LABELS.format("A"), "derivatives/raters/dseg.tsv", "sub-01/anat/{0}.json"]
)
def test_file_dated_in_the_future_is_named_before_any_work(checkout, own, name):
    path = own.bids / name.format("sub-01_echo-1_part-mag_MEGRE")
    before = path.stat().st_mtime_ns
    os.utime(path, (2**32, 2**32))
    words = ["--dry-run", "--config", f"bids_dir={own.bids}", f"output_dir={own.out}"]
    done = checkout.snakemake(*words, "--", "roi_values", config=None, check=False)
    os.utime(path, ns=(before, before))
    assert done.returncode != 0
    assert f"{path}: is dated in the future" in done.stdout
    assert f"touch '{path}'" in done.stdout


def test_two_runs_in_one_folder_exclude_each_other(checkout, study):
    words = ["--cores", "1", "--config", "output_dir=results/twice", "--", "audit"]
    first = subprocess.Popen(
        checkout.command(*words[:-2], "--", "audit", config=None), cwd=checkout.folder,
        env=checkout.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    locks = checkout.folder / ".snakemake" / "locks"
    deadline = time.monotonic() + 240
    while not (locks.is_dir() and any(locks.iterdir())):
        assert first.poll() is None, "the first run ended before the second could start"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    # Held where it is, so that the second run meets it whatever the machine's load.
    os.kill(first.pid, signal.SIGSTOP)
    second = checkout.snakemake(*words, config=None, check=False)
    os.kill(first.pid, signal.SIGCONT)
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output
    assert checkout.planned("audit", *words[2:-2], config=None) == {}
    made = checkout.folder / "results/twice/tables/audit.tsv"
    assert made.read_bytes() == (study / "tables/audit.tsv").read_bytes()


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, and a function that mounts it anew with other options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True,
            check=False,
        ).returncode  # fmt: skip

    if os.getuid() != 0 or mount("size=600k"):
        pytest.skip("NOT TESTED: a disk of its own needs root and the right to mount")
    yield SimpleNamespace(folder=folder, mount=lambda options: mount(f"remount,{options}"))
    subprocess.run(["umount", "-l", folder], check=True)


def test_full_disk_is_named_and_a_rerun_completes(checkout, own, disk):
    out = disk.folder / "out"
    words = ["--cores", "1", "--config", f"bids_dir={own.bids}", f"output_dir={out}", "--"]
    done = checkout.snakemake(*words, "chimaps", config=None, check=False)
    assert done.returncode != 0
    assert "No space left on device" in done.stdout
    assert "Free space on that disk" in done.stdout
    assert not list(out.rglob("*.nii.gz")), "a broken image is left on the full disk"
    assert disk.mount("size=200m") == 0
    checkout.snakemake(*words, "chimaps", config=None)
    for path in sorted((own.out / "derivatives").rglob("*.nii.gz")):
        assert (out / path.relative_to(own.out)).read_bytes() == path.read_bytes(), path.name


def test_read_only_output_is_refused_before_any_work(checkout, study, disk):
    words = ["--cores", "1", "--config", f"output_dir={disk.folder / 'out'}", "--", "audit"]
    assert disk.mount("ro") == 0
    done = checkout.snakemake(*words, config=None, check=False)
    assert done.returncode != 0
    assert f"{disk.folder} cannot be written" in done.stdout
    assert "choose another output_dir" in done.stdout
    assert disk.mount("rw") == 0
    checkout.snakemake(*words, config=None)
    made = disk.folder / "out/tables/audit.tsv"
    assert made.read_bytes() == (study / "tables/audit.tsv").read_bytes()
