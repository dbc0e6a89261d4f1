"""kill -9 of a job, and of Snakemake, in every stage: no broken file, the same results after."""

import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.faults

#: What differs between two runs of the same study: times, dates, the place.
DIFFERS = ("logs", "benchmarks", "report.html")


def contents(out):
    """{relative path: bytes} of all results that must be equal, partial ones included."""
    paths = (path for path in out.rglob("*") if path.is_file())
    names = {path.relative_to(out): path for path in paths}
    return {n: p.read_bytes() for n, p in names.items() if n.parts[0] not in DIFFERS}


def words(out):
    return ["--cores", "2", "--configfile", "tiny.yaml", "--config", f"output_dir={out}"]


@pytest.fixture(scope="module")
def reference(checkout):
    """The tiny study, undisturbed."""
    (checkout.folder / "tiny.yaml").write_text((ROOT / "tests/faults/tiny.yaml").read_text())
    checkout.snakemake(*words("results/reference"), config=None)
    return contents(checkout.folder / "results/reference")


def orphans(folder):
    """Jobs that still run after their Snakemake is gone."""
    scripts = f"{folder}/.snakemake/scripts/".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:  # it has just ended
            continue
        if scripts in command:
            found.append(path.parent.name)
    return found


@pytest.mark.parametrize("what", ["job", "snakemake"])
def test_killed_in_every_stage_and_resumed_gives_the_same_bytes(
    checkout, reference, tmp_path, what
):
    out = checkout.folder / "results" / f"killed_{what}"
    command = words(f"results/killed_{what}")
    noted = tmp_path / "noted"
    noted.mkdir()
    broken = type(checkout)(checkout.folder)
    hook = f"{ROOT / 'tests/faults'}:{checkout.env['PYTHONPATH']}"
    broken.env = checkout.env | {"PYTHONPATH": hook, "KILL_WHAT": what, "KILL_NOTED": str(noted)}
    runs = 0
    while (done := broken.snakemake(*command, check=False, config=None)).returncode:
        runs += 1
        assert runs <= len(list(noted.iterdir())), f"a run failed unkilled:\n{done.stdout[-3000:]}"
        deadline = time.monotonic() + 300
        while orphans(checkout.folder):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        if what == "snakemake":
            checkout.snakemake(*command, "--unlock", config=None)
        for name, value in contents(out).items():
            if ".partial" not in name.name:
                assert value == reference[name], f"{name} is broken after a kill"
    stages = {path.stem for path in (checkout.folder / "results/reference/logs").iterdir()}
    assert {path.name for path in noted.iterdir()} == stages
    print(f"\n{what}: {len(stages)} stages killed, {runs} runs failed, then complete")
    made = contents(out)
    assert set(made) == set(reference), "a file is missing, or a partial one was left behind"
    assert made == reference
