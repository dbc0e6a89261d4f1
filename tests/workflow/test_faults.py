"""What breaks a run: a clear message, no broken file, a rerun that completes with equal results."""

import gzip
import os
import shutil
import signal
import subprocess
import time
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


def test_finished_measurement_has_nothing_to_do(own):
    assert own.planned() == {}


def test_scan_replaced_under_an_older_date_is_reconstructed_anew(own):
    echo = own.bids / "sub-01/anat/sub-01_echo-2_part-mag_MEGRE.nii.gz"
    other = bytearray(gzip.decompress(echo.read_bytes()))
    other[-1000] ^= 1
    with Replaced(echo, gzip.compress(bytes(other), mtime=0)):
        assert own.planned() == RECONSTRUCTED | MEASURED
    assert own.planned() == {}


def test_sidecar_replaced_under_an_older_date_is_seen(own):
    sidecar = own.bids / "sub-01/anat/sub-01_echo-2_part-phase_MEGRE.json"
    with Replaced(sidecar, sidecar.read_bytes().replace(b"0.0123", b"0.0124")):
        assert own.planned() == RECONSTRUCTED | MEASURED


def test_edited_label_map_is_measured_anew_and_nothing_else(own):
    labels = own.bids / LABELS.format("B")
    image = nib.load(labels)
    edited = np.asarray(image.dataobj).copy()
    edited[edited > 0] = np.roll(edited[edited > 0], 1)
    other = own.bids.parent / "edited.nii.gz"
    nib.save(nib.Nifti1Image(edited, image.affine, image.header), other)
    with Replaced(labels, other.read_bytes()):
        assert own.planned() == MEASURED | {"measure_rois": 1}


def test_edited_label_table_is_seen(own):
    table = own.bids / "derivatives/raters/dseg.tsv"
    with Replaced(table, table.read_bytes() + b"99\tother\tCN\tL\n"):
        assert own.planned() == MEASURED


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
