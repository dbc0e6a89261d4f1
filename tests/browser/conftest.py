"""A report opened in the system's Chromium, from a file and with the network off."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from opened import WIDE, Opened
from report_study import build, make_study


@pytest.fixture
def open_page(chromium):
    """Open a file as a reader would: ``open_page(path, width=1400, scheme="light")``."""
    contexts = []

    def opener(path, *, width=WIDE, height=900, scheme="light"):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.on(
            "console",
            lambda message: (
                opened.errors.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
        address = Path(path).resolve().as_uri()
        opened.page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("data:", "blob:", address))
                else opened.requests.append(request.url)
            ),
        )
        opened.page.goto(address)
        return opened

    yield opener
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def report_file(tmp_path_factory):
    """The report of a small made-up study (see report_study.py): every section, tiny pictures."""
    arguments = make_study(tmp_path_factory.mktemp("report"))
    build(arguments)
    return arguments["report"]
