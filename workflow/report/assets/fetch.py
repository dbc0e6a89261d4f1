"""Fetch the locked NiiVue from npm again: python workflow/report/assets/fetch.py.

The file stands in the repository, so that a run and its report need no network. To change the
version, edit niivue.lock.json (version, tarball and integrity as `npm view @niivue/niivue@VERSION
dist` prints them), run this with --relock, and run the browser tests.
"""

import base64
import hashlib
import io
import json
import sys
import tarfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE / "niivue.lock.json"


def main(*, relock: bool) -> None:
    """Download, compare with the lock, write niivue.umd.js."""
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    with urllib.request.urlopen(lock["tarball"]) as answer:
        archive = answer.read()
    algorithm, expected = lock["integrity"].split("-", 1)
    if base64.b64encode(hashlib.new(algorithm, archive).digest()).decode() != expected:
        sys.exit(f"{lock['tarball']}: its {algorithm} is not the locked one; nothing written.")
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        member = package.extractfile(lock["member"])
        code = member.read() if member else b""
    digest = hashlib.sha256(code).hexdigest()
    if relock:
        LOCK.write_text(json.dumps(lock | {"sha256": digest}, indent=2) + "\n", encoding="utf-8")
    elif digest != lock["sha256"]:
        sys.exit(f"{lock['member']}: its sha256 is {digest}, not the locked one; nothing written.")
    (HERE / "niivue.umd.js").write_bytes(code)


if __name__ == "__main__":
    main(relock="--relock" in sys.argv[1:])
