import os
import shutil

import numpy as np
import pytest

#: Tests that run only when asked for by their mark.
ASKED_FOR = {
    "faults": "long: run `make test-faults`",
    "slurm": "starts a Slurm of its own: run `make test-slurm`",
}


def pytest_collection_modifyitems(config, items):
    asked = config.getoption("markexpr") or ""
    for name, reason in ASKED_FOR.items():
        if name not in asked:
            for item in items:
                if item.get_closest_marker(name):
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def rng():
    return np.random.default_rng(20241118)


#: Tried in this order; CHROMIUM names another.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
#: Draw WebGL in software, and ask nobody anything.
ARGUMENTS = (
    "--disable-gpu-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
)


def find_browser():
    """Return the path of a Chromium, or skip and say how to install one."""
    wanted = [os.environ["CHROMIUM"]] if "CHROMIUM" in os.environ else BROWSERS
    found = next(filter(None, map(shutil.which, wanted)), None)
    if found is None:
        pytest.skip(
            f"NOT TESTED: the report in a browser. None of {', '.join(wanted)} is on PATH: install "
            "one (Debian, Ubuntu: apt-get install chromium), or set CHROMIUM=/path/to/it."
        )
    return found


@pytest.fixture(scope="session")
def chromium():
    """Chromium, started once for all tests."""
    path = find_browser()
    api = pytest.importorskip(
        "playwright.sync_api", reason="NOT TESTED: the report in a browser. Run make env-dev."
    )
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(ARGUMENTS), chromium_sandbox=False
        )
        yield browser
        browser.close()
