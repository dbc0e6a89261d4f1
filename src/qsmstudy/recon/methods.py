"""The methods of every reconstruction step, each stated once.

A step's dispatch, the allowed words of its option, its words in the methods text, its name in
sidecars and what the consensus says of it follow from the records here. A record names its
function by an entry point, so that this module imports no numerical package.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from string import Formatter
from typing import Any

from qsmstudy.options import Section, check_word


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method of a reconstruction step.

    Attributes
    ----------
    name : str
        Its word in the configuration.
    function : str
        Entry point, ``package.module:function``; all methods of a step take the same arguments.
    title : str
        What sidecars and messages call it.
    words : str
        How the methods text describes it, with ``[@key]`` citations. An option or property of the
        section may stand in it, as ``{tolerance:g}``; `described` adds those of `options` that
        are not named.
    options : tuple of str
        Options of its section that it uses, beside those of every method.
    effective : str
        Entry point of a function from the options as given to those that the method goes by; empty
        where it goes by them as they are.
    deviation : str or None
        In which way it deviates from the consensus recommendations (doi:10.1002/mrm.30006), and why
        that matters; None where it follows them.
    """

    name: str
    function: str
    title: str
    words: str
    options: tuple[str, ...] = ()
    effective: str = ""
    deviation: str | None = None

    def load(self) -> Callable[..., Any]:
        """Return the function."""
        return _load(self.function)

    def used(self, section: Section) -> dict[str, Any]:
        """Return the options that it uses, by name."""
        return {name: getattr(section, name) for name in self.options}

    def effective_options(self, section: Section) -> Any:
        """Return the options that it goes by."""
        return _load(self.effective)(section) if self.effective else section

    def described(self, section: Section, *, stated: Iterable[str] = ()) -> str:
        """Return its words in the methods text with the values of its options.

        Parameters
        ----------
        section : Section
            The options.
        stated : iterable of str
            Options that the text states elsewhere.
        """
        named = {name for _, name, _, _ in Formatter().parse(self.words) if name}
        text = self.words.format_map({name: getattr(section, name) for name in named})
        units = {item.name: item.metadata["unit"] for item in fields(section)}
        rest = [
            _stated(name, value, units[name])
            for name, value in self.used(section).items()
            if name not in named | set(stated)
        ]
        return f"{text} ({', '.join(rest)})" if rest else text


def _load(entry_point: str) -> Callable[..., Any]:
    module, _, name = entry_point.partition(":")
    return getattr(import_module(module), name)


def _stated(name: str, value: Any, unit: str) -> str:
    """Name an option with its value and unit; ``step_mm`` is called step."""
    number = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{name.removesuffix(f'_{unit}').replace('_', ' ')} {number} {unit}".rstrip()


class Methods(dict[str, Method]):
    """The methods of one step by name.

    Examples
    --------
    >>> one = Method(name="sum", function="math:fsum", title="Sum", words="summing")
    >>> Methods("add.method", [one]).named("sum").load()([1, 2])
    3.0
    """

    def __init__(self, option: str, methods: Iterable[Method]) -> None:
        super().__init__({method.name: method for method in methods})
        self.option = option

    @property
    def words(self) -> Mapping[str, str]:
        """Words of the methods text by name: the allowed words of the option."""
        return _Words(self)

    def named(self, name: str) -> Method:
        """Return the method of this name.

        Raises
        ------
        StudyError
            If there is none; the message names the closest.
        """
        return self[check_word(self.option, name, self)]


class _Words(Mapping[str, str]):
    """View of the words of methods: a method that is added later has its word too."""

    def __init__(self, methods: Methods) -> None:
        self._methods = methods

    def __getitem__(self, name: str) -> str:
        return self._methods[name].words

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)


#: From the signal of all echoes to the field's standard deviation, given the fit.
NOISE = Methods(
    "fit_field.noise_model",
    [
        Method(
            name="expected",
            function="qsmstudy.recon.field_noise:expected_noise",
            title="expected",
            words="the magnitudes and the noise level alone",
        ),
        Method(
            name="observed",
            function="qsmstudy.recon.field_noise:observed_noise",
            title="observed",
            words="the curvature and the residual of the fit",
        ),
    ],
)

#: From magnitudes and echo times to R2*.
R2STAR = Methods(
    "fit_field.r2star_method",
    [
        Method(
            name="arlo",
            function="qsmstudy.recon.r2star:arlo",
            title="ARLO",
            words="auto-regression on linear operations [@pei2015]",
        ),
        Method(
            name="arlo_exact",
            function="qsmstudy.recon.r2star:arlo_exact",
            title="ARLO without Simpson's error",
            words="auto-regression on linear operations, exact for a mono-exponential decay "
            "[@pei2015]",
        ),
        Method(
            name="log_linear",
            function="qsmstudy.recon.r2star:log_linear",
            title="log-linear",
            words="a weighted line through the logarithm of the magnitudes",
        ),
    ],
)

_LAPLACIAN = (
    "the field was unwrapped by a Laplacian method, not exactly: such a method also changes the "
    "field smoothly, and the background removal does not take all of that change away"
)

#: From a wrapped field to one without wraps.
UNWRAPPING = Methods(
    "unwrap_phase.method",
    [
        Method(
            name="laplacian",
            function="qsmstudy.recon.unwrap:laplacian",
            title="Laplacian",
            words="inverting its Laplacian [@schofield2003]",
            deviation=_LAPLACIAN,
        ),
        Method(
            name="laplacian_wrapped",
            function="qsmstudy.recon.unwrap:laplacian_wrapped",
            title="Laplacian of wrapped differences",
            words="inverting the Laplacian of its wrapped differences [@schofield2003]",
            deviation=_LAPLACIAN,
        ),
        Method(
            name="romeo",
            function="qsmstudy.recon.unwrap:romeo",
            title="ROMEO",
            words="ROMEO, by whole periods along the paths of highest quality [@dymerska2021]",
        ),
        Method(
            name="region_growing",
            function="qsmstudy.recon.unwrap:region_growing",
            title="region growing",
            words="region growing along the most reliable voxels",
        ),
    ],
)

#: From the magnitude, or a mask that the user gives, to the brain; the files decide which.
MASK = Methods(
    "extract_brain",
    [
        Method(
            name="bet",
            function="qsmstudy.recon.extraction:by_bet",
            title="BET",
            words="the brain extraction tool's method [@smith2002] (fractional intensity threshold "
            "{fractional_threshold:g}, {iterations:g} iterations)",
            options=("fractional_threshold", "iterations"),
        ),
        Method(
            name="own",
            function="qsmstudy.recon.extraction:as_given",
            title="own",
            words="where the dataset provided a mask, it was used instead",
        ),
    ],
)

#: From the total to the local field, and where that is defined.
BACKGROUND = Methods(
    "remove_background.method",
    [
        Method(
            name="pdf",
            function="qsmstudy.recon.pdf:pdf",
            title="PDF",
            words="projection onto dipole fields [@liu2011], solved by conjugate gradients (at "
            "most {max_iterations:g} steps, relative tolerance {tolerance:g}, margin "
            "{padding_mm:g} mm)",
            options=("max_iterations", "tolerance", "padding_mm"),
        ),
        Method(
            name="vsharp",
            function="qsmstudy.recon.vsharp:vsharp",
            title="V-SHARP",
            words="V-SHARP, spherical means of several radii [@schweser2011, @wu2012] (spheres of "
            "at most {radius_mm:g} mm, transfer function truncated at {truncation:g}); the mask "
            "lost a rim of one voxel",
            options=("radius_mm", "truncation"),
        ),
    ],
)

_MEDI = (
    "morphology enabled dipole inversion [@liu2012] in its nonlinear form [@liu2013] with "
    "λ = {lambda_fidelity:g}, the data term in radians per echo spacing, "
)
_MEDI_OPTIONS = (
    "lambda_fidelity", "lambda_csf", "merit", "smv_radius_mm", "edge_fraction", "edge_region",
)  # fmt: skip
_CLOSED_FORM = (
    "the dipole inversion was a closed form, not an optimisation with a sparsity-promoting "
    "regularisation: it leaves more streaks or underestimates susceptibility"
)

#: From the local field to susceptibility.
INVERSION = Methods(
    "invert_dipole.method",
    [
        Method(
            name="medi",
            function="qsmstudy.recon.medi:medi",
            title="MEDI by ADMM",
            words=_MEDI + "solved by the alternating direction method of multipliers (at most "
            "{max_iterations:g} steps, relative change {tolerance:g}, margin {margin_mm:g} mm)",
            options=(*_MEDI_OPTIONS, "backend", "max_iterations", "tolerance"),
        ),
        Method(
            name="medi_gauss_newton",
            function="qsmstudy.recon.medi:medi_gauss_newton",
            title="MEDI by Gauss-Newton",
            words=_MEDI + "solved by Gauss-Newton steps with inner conjugate gradients, as "
            "published (margin {margin_mm:g} mm)",
            options=_MEDI_OPTIONS,
            effective="qsmstudy.recon.medi:published_stop",
        ),
        Method(
            name="tkd",
            function="qsmstudy.recon.closed_form:tkd",
            title="TKD",
            words="division by the dipole kernel, truncated where it is small [@shmueli2009] "
            "(threshold {tkd_threshold:g}, margin {margin_mm:g} mm)",
            options=("tkd_threshold",),
            deviation=_CLOSED_FORM,
        ),
        Method(
            name="tikhonov",
            function="qsmstudy.recon.closed_form:tikhonov",
            title="closed-form Tikhonov",
            words="least squares with a penalty of the squared gradient, in closed form "
            "[@bilgic2014] (weight in mm² {tikhonov_weight:g}, margin {margin_mm:g} mm)",
            options=("tikhonov_weight",),
            deviation=_CLOSED_FORM,
        ),
    ],
)

#: Where MEDI looks for the magnitude's edges.
EDGES = Methods(
    "invert_dipole.edge_region",
    [
        Method(
            name="eroded",
            function="qsmstudy.recon.medi:edges_in_eroded_mask",
            title="mask as the filter erodes it",
            words="",
        ),
        Method(
            name="brain",
            function="qsmstudy.recon.medi:edges_in_brain",
            title="brain",
            words="Edges were looked for in the mask before its erosion; those without data at "
            "either end kept {faint:g} of the penalty.",
        ),
    ],
)

#: What zero means in a map; the mean over the region is subtracted.
REFERENCE = Methods(
    "invert_dipole.reference",
    [
        Method(
            name="csf",
            function="qsmstudy.recon.reference:mean_in_fluid",
            title="ventricular CSF",
            words="Zero susceptibility was set to the mean of the ventricular cerebrospinal fluid; "
            "where none was found, to the mean over the whole brain.",
        ),
        Method(
            name="whole_brain",
            function="qsmstudy.recon.reference:mean_in_brain",
            title="whole brain",
            words="Zero susceptibility was set to the mean over the whole brain.",
        ),
        Method(
            name="none",
            function="qsmstudy.recon.reference:as_inverted",
            title="the whole array of the inversion",
            words="No reference was subtracted: zero is the mean over the array of the inversion, "
            "brain and margin together.",
            deviation="susceptibility was not referred to a region: a value of zero then depends "
            "on the field of view",
        ),
    ],
)
