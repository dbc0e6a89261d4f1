"""The part of the methods text on regions: who drew them, what was measured and what left out."""

import pandas as pd

from qsmstudy.regions.options import MeasureRois, RegisterAtlas, SummarizeRois
from qsmstudy.report import flow
from qsmstudy.report import numbers as nb
from qsmstudy.report.options import Config, setting


def measurement(
    config: Config, roi_values: pd.DataFrame, *, simulated: bool, imaged: bool
) -> tuple[str, ...]:
    """Describe the regions and their measurement."""
    rater = setting(config, "measure_rois", "rater")
    analysed = (
        "the average of the raters' values"
        if rater == "mean"
        else f"the values of rater {rater} alone"
    )
    return (
        *(
            _labels(config, roi_values, simulated=simulated)
            if imaged
            else _given(config, roi_values)
        ),
        "A rater's value of a region was the mean over all voxels of its slices"
        + ("" if imaged else ", or of its rows where numbers of voxels were not given")
        + f"; the analysis used {analysed}."
        + SummarizeRois.in_config(config).words("reference"),
        *_lesions(config, roi_values),
    )


def _lesions(config: Config, roi_values: pd.DataFrame) -> tuple[str, ...]:
    """Say what became of regions that a lesion touches; nothing where none is touched."""
    rule = SummarizeRois.in_config(config).words("lesions")
    count = flow.regions_with("lesion", roi_values)
    if not count:
        return ()
    return (rule.format(f"{count} {'region' if count == 1 else 'regions'} touched (per rater)."),)


def _raters(roi_values: pd.DataFrame, *, who: str = "rater") -> str:
    names = sorted(roi_values["rater"].dropna().astype(str).unique())
    return f"{who}{'' if len(names) == 1 else 's'} {nb.listing(names)}" if names else f"no {who}"


def _labels(config: Config, roi_values: pd.DataFrame, *, simulated: bool) -> tuple[str, ...]:
    options = MeasureRois.in_config(config)
    automatic = roi_values["rater"] == "atlas"
    if automatic.all():
        who = "A registered atlas"
    else:
        who = _raters(roi_values[~automatic], who="simulated rater" if simulated else "rater")
    regions = (
        f"{who[0].upper()}{who[1:]} labelled caudate nucleus, globus pallidus, putamen, red "
        "nucleus, substantia nigra, thalamus and dentate nucleus on both sides"
    )
    if options.n_slices:
        rule = f"; the labels were meant to lie on {options.n_slices} consecutive axial slices."
        rule += options.words("slices")
        rule += _region_count(
            "slices", roi_values, "Those that did not were kept and flagged: {}", none="All did"
        )
    else:
        rule = ", on as many axial slices as they cover."
    return (
        regions + rule,
        *(_atlas(config) if automatic.any() else ()),
        "Voxels where the map is undefined (outside the eroded brain mask; exactly 0) were left "
        "out of a region, and the region was flagged."
        + _region_count("outside", roi_values, "This concerned {}", none="None was so flagged")
        + _region_count(
            "empty", roi_values, "Left without a voxel: {}", none="No region was empty"
        ),
    )


def _atlas(config: Config) -> tuple[str, ...]:
    """Describe the automatic labels."""
    template = (
        "a template given by the study"
        if config.get("atlas_template")
        else "the ICBM152 template with figures of the nuclei fitted to the Allen Human Reference "
        "Atlas [@ding2016]"
    )
    share = RegisterAtlas.in_config(config).chi_weight
    return (
        f"Rater atlas is automatic: {template} was registered to each scan by an affine transform "
        "(mutual information of the magnitudes [@mattes2003]) and a smooth displacement "
        "(diffeomorphic demons [@vercauteren2009] on one image of map and magnitude, the map's "
        f"share {share:g}), and its labels were transferred by nearest neighbour.",
    )


def _region_count(flag: str, roi_values: pd.DataFrame, words: str, *, none: str) -> str:
    """Say in how many regions something was so; nothing where the table has no flags."""
    count = flow.regions_with(flag, roi_values)
    if count is None:
        return ""
    regions = f"{count} {'region' if count == 1 else 'regions'}"
    return f" {words.format(regions)} (counted per rater)." if count else f" {none}."


def _given(config: Config, roi_values: pd.DataFrame) -> tuple[str, ...]:
    slices = MeasureRois.in_config(config).n_slices
    rule = (
        f"Whether the labels lay on {slices} consecutive axial slices, and whether the maps were "
        "defined in all their voxels, was not checked here."
        if slices
        else "Whether the maps were defined in all voxels of the labels was not checked here."
    )
    counts = [
        f"{count} {'region' if count == 1 else 'regions'} as {flag}"
        for flag in ("slices", "outside")
        if (count := flow.regions_with(flag, roi_values))
    ]
    flags = f" The table flags {nb.listing(counts)}; they were kept." if counts else ""
    return (
        f"The values of {_raters(roi_values)} were taken from a given table, not measured from "
        f"images by this workflow. {rule}{flags}",
    )
