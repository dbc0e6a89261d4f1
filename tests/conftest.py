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
