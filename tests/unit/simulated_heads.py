"""Small simulated heads for the tests of the reconstruction: the study's physics, coarse voxels."""

import json
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from qsmstudy.simulate import dataset, scan, signal
from qsmstudy.simulate.cohort import REGIONS
from qsmstudy.simulate.options import SimulateScan, SimulateTruth

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
ELLIPSOIDS = json.loads(
    (ROOT / "resources" / "anatomy" / "nuclei_ellipsoids.json").read_text("utf-8")
)
ECHO_TIMES = (0.006, 0.012, 0.018, 0.024)
VOXEL_SIZE = np.array([2.2, 2.2, 3.0])


class Head(NamedTuple):
    """What the scanner stores of a head, in physical units, and what is true of it."""

    magnitude: np.ndarray
    phase: np.ndarray  # rad
    mask: np.ndarray
    local_field: np.ndarray  # Hz


@lru_cache(maxsize=4)
def simulate(name="sub-01", age=60):
    """Simulate one head; a name is a random draw of its shape, shim, receive phase and noise."""
    options = CONFIG["simulate_scan"] | {
        "matrix": [84, 96, 48],
        "voxel_size_mm": VOXEL_SIZE.tolist(),
        "subslice_mm": 1.5,
        "echo_times": list(ECHO_TIMES),
    }
    protocol = SimulateScan.of(options)
    chi = 0.03 + 0.12 * np.random.default_rng(len(name) + age).uniform(size=len(REGIONS))
    truth = dataset.participant_truth(
        name, "AIS", age, chi, options=SimulateTruth.of(CONFIG["simulate_truth"] | {"seed": 11})
    )
    phantom = scan.build_phantom(truth, ELLIPSOIDS, protocol)
    stored = list(scan.acquire(phantom, protocol, truth))
    magnitude = np.stack([echo[0] for echo in stored], axis=-1).astype(np.float32)
    phase = np.stack([echo[1] for echo in stored], axis=-1) * np.float32(np.pi / signal.PHASE_STEPS)
    return Head(magnitude, phase, phantom.mask, scan.local_field(phantom, protocol))
