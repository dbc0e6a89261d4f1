"""The logger on a real terminal, on a dumb one and in a file (a toy workflow, real Snakemake)."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pyte
import pytest

ROOT = Path(__file__).resolve().parents[2]
COLUMNS, ROWS = 100, 40
DISPLAY = """
from qsmstudy.run import engine
engine.show_progress(workflow)
"""
SNAKEFILE = f"""{DISPLAY}
SCANS = ["sub-1", "sub-2", "sub-3"]
rule all:
    input: "table.tsv"
rule fit_field:
    output: "{{scan}}_field"
    shell: "sleep .3; echo note on {{wildcards.scan}} >&2; touch {{output}}"
rule invert_dipole:
    input: "{{scan}}_field"
    output: "{{scan}}_chi"
    priority: 10
    shell: "sleep 1; touch {{output}}"
rule table3:
    input: expand("{{scan}}_chi", scan=SCANS)
    output: "table.tsv"
    shell: "COMMAND; touch {{output}}"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE.replace("COMMAND", "sleep .1"))
    profile = tmp_path / "profiles" / "default"
    profile.mkdir(parents=True)
    text = (ROOT / "profiles/default/config.yaml").read_text()
    (profile / "config.yaml").write_text(text)
    return tmp_path


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "TERM")}
    return kept | {"PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"} | more


COMMAND = [sys.executable, "-m", "snakemake", "--cores", "1"]


def on_terminal(folder, **more):
    """Run on a pseudo-terminal; return its screens, one after each piece of output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    run = subprocess.Popen(
        COMMAND, cwd=folder, env=environment(**more), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    screens, raw = [], b""
    while True:
        ready, _, _ = select.select([ours], [], [], 300)
        assert ready, "nothing was written for five minutes"
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux tells the end of a terminal so
            break
        if not piece:
            break
        raw += piece
        stream.feed(piece)
        screens.append("\n".join(line.rstrip() for line in screen.display).rstrip())
    os.close(ours)
    return run.wait(), screens, raw.decode()


def test_terminal_shows_participants_jobs_stage_and_time(folder):
    code, screens, _ = on_terminal(folder, TERM="xterm")
    assert code == 0
    shown = [screen for screen in screens if "Participants" in screen]
    assert all(screen.count("Participants") == 1 for screen in shown), "a display was left behind"
    for n in (0, 1, 2, 3):
        assert any(re.search(rf"Participants +[█░]+ {n} of 3", screen) for screen in shown)
    assert any("Stage        invert dipole" in screen for screen in shown)
    assert any(re.search(r"0:\d\d  invert dipole sub-\d", screen) for screen in shown)
    assert any("left" in screen for screen in shown)
    # What remains is a line, and what the jobs wrote to the terminal by themselves.
    assert "Participants" not in screens[-1]
    assert "8 of 8 jobs (100 %), participants 3 of 3" in screens[-1]
    assert all(f"note on sub-{n}" in screens[-1] for n in (1, 2, 3))


def test_failure_stays_on_the_terminal(folder):
    text = SNAKEFILE.replace("COMMAND", "echo broken >&2; false")
    (folder / "Snakefile").write_text(text)
    code, screens, _ = on_terminal(folder, TERM="xterm")
    assert code == 1
    assert "broken" in screens[-1]
    assert "rule table3" in screens[-1]
    assert "1 failed" in screens[-1]


@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {"TERM": "xterm", "CI": "true"}])
def test_dumb_terminal_and_ci_get_plain_lines(folder, more):
    code, screens, raw = on_terminal(folder, **more)
    assert code == 0
    assert "\x1b[J" not in raw
    assert not any("█" in screen for screen in screens)
    assert "participants 3 of 3" in raw


def test_file_gets_plain_lines_and_few_of_them(folder):
    done = subprocess.run(
        COMMAND, cwd=folder, env=environment(TERM="xterm"), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "\x1b" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if re.match(r"\[\d\d:\d\d:\d\d\] ", line)]
    assert len(lines) == 8  # each of eight jobs is more than 5 %
    assert re.search(r"8 of 8 jobs \(100 %\), participants 3 of 3, 0:\d\d gone$", lines[-1])


CHECKPOINT = f"""{DISPLAY}
def maps(wildcards):
    return expand("{{scan}}_chi", scan=open(checkpoints.list_scans.get().output[0]).read().split())
rule all:
    input: maps
checkpoint list_scans:
    output: "scans"
    shell: "echo sub-1 sub-2 > {{output}}"
rule invert_dipole:
    output: "{{scan}}_chi"
    shell: "touch {{output}}"
"""


@pytest.mark.parametrize("asked", [True, False])
def test_jobs_behind_a_checkpoint_are_counted(folder, asked):
    unasked = "for handler in workflow.logger_manager.plugin_handlers: handler.plan = None"
    text = CHECKPOINT if asked else CHECKPOINT.replace("def maps", f"{unasked}\ndef maps")
    (folder / "Snakefile").write_text(text)
    done = subprocess.run(
        COMMAND, cwd=folder, env=environment(TERM="xterm"), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    lines = re.findall(r"\d+ of \d+ jobs \(\d+ %\)(?:, participants \d of \d)?", done.stderr)
    people = ", participants {} of 2" if asked else ""
    assert lines[-1] == "4 of 4 jobs (100 %)" + people.format(2)
    assert "2 of 4 jobs (50 %)" + people.format(1) in lines


def test_dry_run_is_snakemakes_own(folder):
    done = subprocess.run(
        [*COMMAND, "--dry-run"], cwd=folder, env=environment(TERM="xterm"), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert "Job stats:" in done.stdout
    assert "participants" not in done.stdout + done.stderr
