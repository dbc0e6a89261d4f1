"""A page in the browser, and what may be asked of it."""

import json
from dataclasses import dataclass, field
from importlib import resources

WIDE, PHONE = 1400, 400  # px


@dataclass
class Opened:
    """A page that was opened from a file, with what went wrong in it."""

    page: object
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def section(self, name):
        """Return the section ``part-<name>`` (summary, tables, viewer, ...) to look in."""
        found = self.page.locator(f"#part-{name}")
        assert found.count() == 1, f"no section {name}"
        return found

    def violations(self, selector="body"):
        """Return what axe-core finds serious or critical below a selector."""
        script = resources.files("axe_playwright_python").joinpath("axe.min.js")
        self.page.evaluate(script.read_text(encoding="utf-8"))
        options = json.dumps({"resultTypes": ["violations"]})
        found = self.page.evaluate(f"axe.run({json.dumps(selector)}, {options})")
        return [
            f"{item['id']}: {node['target']} {node.get('failureSummary', '')}"
            for item in found["violations"]
            if item["impact"] in ("serious", "critical")
            for node in item["nodes"]
        ]

    def check_silent(self):
        """Assert that nothing was asked from the network and nothing complained."""
        assert self.errors == []
        assert self.requests == []
