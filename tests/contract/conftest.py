"""The rules of the workflow, read once for all tests that only look at them."""

from pathlib import Path

import pytest
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

ROOT = Path(__file__).resolve().parents[2]


def read(**resources):
    """The workflow as Snakemake understands it, read anew."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        return api.workflow(
            resource_settings=ResourceSettings(cores=1, **resources),
            config_settings=ConfigSettings(),
            snakefile=ROOT / "Snakefile",
            workdir=ROOT,
        )._workflow


@pytest.fixture(scope="session")
def read_workflow():
    """What reads the workflow anew, for a test of the reading itself."""
    return read


@pytest.fixture(scope="session")
def workflow():
    return read()


@pytest.fixture(scope="session")
def rules(workflow):
    """Every rule of the workflow by name."""
    return {rule.name: rule for rule in workflow.rules}
