"""Every figure of a study, stated once: its words in the report and in Snakemake's own.

This module imports the standard library alone: a study is planned from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of the study.

    Attributes
    ----------
    name : str
        Of the file, ``figures/<name>.svg``, and of its rule.
    title : str
        Heading in the report; ``{axes}`` stands for what Figure 4 shows.
    alt : str
        What a reader who cannot see it should know.
    caption : str
        In Snakemake's own report; ``{table3[fdr]}`` stands for an option of the configuration.
    from_map : bool
        Whether it is drawn from a map.
    """

    name: str
    title: str
    alt: str
    caption: str
    from_map: bool = False

    @property
    def label(self) -> str:
        """Name in a list, ``Figure 3``."""
        return f"Figure {self.name.removeprefix('figure')}"

    def caption_of(self, config: Mapping[str, Any]) -> str:
        """Return the caption for a study's configuration."""
        return self.caption.format_map(config)

    def title_of(self, config: Mapping[str, Any]) -> str:
        """Return the title for a study's configuration, with variables as it names them."""
        return self.title.format(axes="{y} against {x}".format_map(config["figure4"]))


#: Every figure by name, in the order of the report.
FIGURES = {
    figure.name: figure
    for figure in (
        Figure(
            name="figure1",
            title="Regions of interest",
            alt="Axial susceptibility maps in grey with the outlines of the labelled nuclei.",
            caption="Regions of interest on axial susceptibility maps of one participant; outlines "
            "are the labels of one rater, L and R the participant’s sides.",
            from_map=True,
        ),
        Figure(
            name="figure2",
            title="Susceptibility by group",
            alt="Every participant's susceptibility by region, side and group, with quartiles.",
            caption="Susceptibility [ppm] by region, side and group; each point is one "
            "participant, boxes run from the first to the third quartile, with the median. The "
            "numbers above the groups are corrected p values (false discovery rate: "
            "{table3[fdr]}).",
        ),
        Figure(
            name="figure3",
            title="Discrimination of the groups",
            alt="ROC curves of single regions and of their combination.",
            caption="ROC curves of single regions and of their combination.",
        ),
        Figure(
            name="figure4",
            title="{axes}",
            alt="Scatter plot in the patients: {axes}.",
            caption="{figure4[y]} against {figure4[x]}; each point is one patient.",
        ),
        Figure(
            name="figure5",
            title="Left against right",
            alt="Every participant's susceptibility on the left joined to that on the right.",
            caption="Susceptibility [ppm] of the left and the right nucleus; each participant’s "
            "two values are joined.",
        ),
        Figure(
            name="figure6",
            title="Power and replication",
            alt="Power of each region's comparison, and participants per group for a replication.",
            caption="Power of the comparison in every region at the observed effect and over its "
            "interval, and the participants per group that a replication with a power of "
            "{estimate_power[target_power]} needs.",
        ),
    )
}
