"""A study of given measurements: no image is touched."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qsmstudy.errors import StudyError
from qsmstudy.study.source.base import Source
from qsmstudy.study.source.checks import lies_in


class TableSource(Source):
    """A table of regional values; `Source` says what it answers.

    Raises
    ------
    StudyError
        If the table lies where the study writes its own.
    """

    kind = "table"
    has_images = False

    def __init__(self, config: Mapping[str, Any], *, repository: str) -> None:
        super().__init__(config, repository=repository)
        self.roi_values = config["roi_values"]
        tables = f"{self.output_dir}/tables"
        if lies_in(self.given, tables):
            raise StudyError(
                f"roi_values {self.given}: lies in {tables}, where this study writes its own. "
                "Copy it elsewhere, or choose another output_dir."
            )

    @property
    def given(self) -> str:
        """The table of measurements."""
        return str(self.config["roi_values"])

    @property
    def participants(self) -> str:
        """Table of the participants, which must be given too."""
        if not self.config["participants"]:
            raise StudyError("roi_values is given without participants; add participants=FILE.")
        return str(self.config["participants"])

    @property
    def root(self) -> str:
        """Folder of the table of the participants, which may say that they are simulated."""
        return f"{Path(self.config['participants'] or self.given).parent}"

    def need_images(self) -> None:
        """Refuse: there are none."""
        raise StudyError("roi_values is given: there are no scans to make this target from.")
