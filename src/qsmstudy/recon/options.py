"""Options of the reconstruction's steps, a section of the configuration each."""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from qsmstudy.options import Section, option
from qsmstudy.recon import methods

#: What the phase's sign may be, with its words in the methods text.
PHASE_SIGNS: dict[int | str, str] = {
    1: "phase taken to grow with the field",
    -1: "phase taken to fall with the field",
    "auto": "the phase's sign taken to be that with which voxels of high R2* are paramagnetic",
}
#: Whose arrays the solver of MEDI may run on; not stated in the methods text.
BACKENDS = {"numpy": "", "torch": "", "cupy": ""}
#: Margin of an inversion without the spherical filter [mm]; twice this margin changes the nuclei by
#: 0.05 ppb in MEDI and by 2 ppb in TKD.
_REACH_MM = 30.0


@dataclass(frozen=True, kw_only=True)
class ReadSignal(Section):
    """Options of the field fit that decide whether a scan can be used."""

    section: ClassVar[str] = "fit_field"

    echo_times: list[float] | None = option(
        None,
        meaning="one per echo, such as [0.006, 0.012], for scans whose JSON sidecars lack EchoTime",
        unit="s",
        schema={"items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1},
    )
    field_strength: float | None = option(
        None,
        meaning="for scans whose JSON sidecars lack MagneticFieldStrength",
        unit="T",
        schema={"exclusiveMinimum": 0},
    )
    signal_fraction: float = option(
        0.05,
        meaning="voxels are fitted above this fraction of the combined magnitude's 99th percentile",
        schema={"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    )


@dataclass(frozen=True, kw_only=True)
class FitField(ReadSignal):
    """Fit of field, noise and R2* to the echoes."""

    phase_sign: int | str = option(
        1,
        meaning="1: phase grows with the field; -1: it falls; auto: estimated from the data. With "
        "the wrong sign the pallidum is dark in the map",
        words=PHASE_SIGNS,
    )
    max_iterations: int = option(
        30,
        meaning="most Gauss-Newton steps per voxel",
        source="toolbox",
        schema={"minimum": 1},
    )
    noise_model: str = option(
        "expected",
        meaning="how the field's noise is predicted; observed is also right in dark voxels and "
        "where the model does not fit",
        source="toolbox: expected",
        words=methods.NOISE.words,
    )
    r2star_method: str = option(
        "arlo",
        meaning="estimator of R2*; arlo_exact is free of Simpson's error. Scans with unevenly "
        "spaced or fewer than three echoes are fitted by log_linear",
        words=methods.R2STAR.words,
    )


@dataclass(frozen=True, kw_only=True)
class UnwrapPhase(Section):
    """Unwrapping of the field in space."""

    section: ClassVar[str] = "unwrap_phase"

    method: str = option(
        "laplacian",
        meaning="the last two are exact; romeo is the most reliable, and its package, warpkit, is "
        "free for non-commercial use only",
        source="paper: laplacian",
        words=methods.UNWRAPPING.words,
    )


@dataclass(frozen=True, kw_only=True)
class ExtractBrain(Section):
    """Extraction of the brain by BET, and trim of the mask's rim."""

    section: ClassVar[str] = "extract_brain"

    fractional_threshold: float = option(
        0.3,
        meaning="local threshold of BET; a smaller one gives a larger brain",
        source="the most robust on the simulated heads; toolbox: 0.1",
        schema={"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    )
    iterations: int = option(
        1000,
        meaning="updates of BET's surface",
        source="doi:10.1002/hbm.10062",
        schema={"minimum": 1},
    )
    trim_residual: float | None = option(
        None,
        meaning="relative residual of the field fit above which the rim of any mask is peeled off, "
        "such as 0.02; null does not trim",
        schema={"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    )
    trim_mm: float = option(
        3, meaning="greatest depth of the trim", unit="mm", schema={"exclusiveMinimum": 0}
    )


@dataclass(frozen=True, kw_only=True)
class RemoveBackground(Section):
    """Removal of the field of sources outside the brain."""

    section: ClassVar[str] = "remove_background"

    method: str = option(
        "pdf",
        meaning="pdf: projection onto dipole fields (doi:10.1002/nbm.1670); vsharp: spherical "
        "means (doi:10.1002/mrm.23000)",
        source="paper: pdf",
        words=methods.BACKGROUND.words,
    )
    max_iterations: int = option(
        60,
        meaning="most steps of pdf; the tolerance stops it after about 20 on the simulated cohort",
        source="toolbox: 30",
        schema={"minimum": 1},
    )
    tolerance: float = option(
        0.005,
        meaning="relative residual of the normal equations at which pdf stops, independent of the "
        "image's scale",
        source="ours",
        schema={"exclusiveMinimum": 0},
    )
    padding_mm: float = option(
        20,
        meaning="margin of pdf on each side; 10 to 40 mm changed no nucleus by more than 1 ppb",
        unit="mm",
        schema={"minimum": 0},
    )
    radius_mm: float = option(
        25,
        meaning="radius of vsharp's largest sphere; smaller spheres are used near the edge of the "
        "mask",
        unit="mm",
        schema={"exclusiveMinimum": 0},
    )
    truncation: float = option(
        0.1,
        meaning="transfer function of vsharp below which nothing is divided",
        source="the best of 12 to 25 mm and 0.02 to 0.1 on simulated heads",
        schema={"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    )


@dataclass(frozen=True, kw_only=True)
class InvertDipole(Section):
    """Inversion of the local field to susceptibility; each method uses its own options.

    The defaults are those of the MEDI toolbox's full-process call (assumption).
    """

    section: ClassVar[str] = "invert_dipole"

    method: str = option(
        "medi",
        meaning="medi: fast solver; medi_gauss_newton: the toolbox's solver, slow; tkd and "
        "tikhonov: quick looks",
        source="paper: medi",
        words=methods.INVERSION.words,
    )
    backend: str = option(
        "numpy",
        meaning="arrays of medi's solver; numpy is compiled and runs on one thread, torch and cupy "
        "are yours to install",
        words=BACKENDS,
    )
    lambda_fidelity: float = option(
        1000,
        meaning="weight of the data term, with fields in radians per echo spacing",
        source="toolbox",
        schema={"exclusiveMinimum": 0},
    )
    lambda_csf: float = option(
        100,
        meaning="weight of the uniformity of the ventricular fluid (MEDI+0); 0 for none",
        source="toolbox",
        schema={"minimum": 0},
    )
    merit: int = option(
        4,
        meaning="reweightings that take weight from outliers, one per 5 steps; 0 for none",
        source="toolbox: one per outer step, 4 to 6",
        schema={"minimum": 0},
    )
    smv_radius_mm: float = option(
        5,
        meaning="radius of the spherical mean value filter; 0 for none",
        unit="mm",
        source="toolbox's full process",
        schema={"minimum": 0},
    )
    edge_fraction: float = option(
        0.9,
        meaning="gradient components counted as edges, per brain voxel",
        source="toolbox",
        schema={"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    )
    edge_region: str = option(
        "eroded",
        meaning="where edges are looked for: in the mask as the filter erodes it, or in all of the "
        "brain (nuclei nearer to the truth, best with lambda_fidelity 3000)",
        source="toolbox: eroded",
        words=methods.EDGES.words,
    )
    max_iterations: int = option(
        300,
        meaning="most steps of medi; it takes about 90 with the filter, 90 to 150 at lambda 3000, "
        "150 to 220 without the filter, more with much noise",
        schema={"minimum": 1},
    )
    tolerance: float = option(
        0.0005,
        meaning="weighted relative change of the map per step at which medi stops",
        source="ours",
        schema={"exclusiveMinimum": 0},
    )
    padding_mm: float | None = option(
        None,
        meaning="least margin around the brain on each side; null: as far as sources act, which is "
        "the filter's radius with it and 30 mm without",
        unit="mm",
        schema={"minimum": 0},
    )
    tkd_threshold: float = option(
        0.15,
        meaning="smallest value of the dipole kernel that tkd divides by",
        source="doi:10.1002/mrm.22135 uses 1/3 to 1/10",
        schema={"exclusiveMinimum": 0, "exclusiveMaximum": 0.6667},
    )
    tikhonov_weight: float = option(
        0.003,
        meaning="weight of the squared gradient in tikhonov; smaller: streaks, larger: flat nuclei "
        "(slope 0.7 at 0.05)",
        unit="mm²",
        source="ours",
        schema={"exclusiveMinimum": 0},
    )
    csf_r2star_threshold: float = option(
        5,
        meaning="R2* below which tissue is fluid",
        unit="1/s",
        source="toolbox",
        schema={"exclusiveMinimum": 0},
    )
    reference: str = option(
        "csf",
        meaning="what zero means in the map; the other references stand in sidecar and tables. "
        "none: as inverted",
        source="toolbox: csf",
        words=methods.REFERENCE.words,
    )

    @property
    def margin_mm(self) -> float:
        """Margin around the brain [mm].

        The array is periodic, and a source must not act on the far side of the brain. What the
        filter leaves of a dipole's field ends at its radius: the rest is harmonic, and equals its
        mean over any sphere that does not hold the source.
        """
        filtered = "smv_radius_mm" in methods.INVERSION.named(self.method).options
        radius = self.smv_radius_mm if filtered else 0.0
        if self.padding_mm is None:
            return radius or _REACH_MM
        return max(self.padding_mm, radius)

    def report(self) -> dict[str, Any]:
        """Return the options by name, with the margin in force, for a sidecar."""
        return asdict(self) | {"padding_mm": self.margin_mm}
