"""Kill, once per rule, a job or the Snakemake that started it, when it hurts most.

Python imports this at its start where the tests put this folder first on PYTHONPATH. A file has
been written under its temporary name and is about to get its final one: there it ends.
``KILL_WHAT`` is ``job`` or ``snakemake``; ``KILL_NOTED`` a folder with a file per rule killed.
"""

import os
import pathlib
import re
import signal
import sys

rename = pathlib.Path.replace


def ancestor() -> int:
    """Return the process of Snakemake above this one."""
    pid = os.getpid()
    while pid > 1:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        pid = int(re.search(r"PPid:\s+(\d+)", status)[1])
        if b"snakemake\0--cores" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise RuntimeError("no Snakemake above this process")


def replace(self, target):
    """Rename, unless this is a rule's first time."""
    script = re.search(r"\.(\w+)\.py$", sys.argv[0])
    noted = pathlib.Path(os.environ["KILL_NOTED"], script[1]) if script else None
    if noted and not noted.exists():
        noted.touch()
        os.kill(os.getpid() if os.environ["KILL_WHAT"] == "job" else ancestor(), signal.SIGKILL)
    return rename(self, target)


if "KILL_NOTED" in os.environ:
    pathlib.Path.replace = replace
