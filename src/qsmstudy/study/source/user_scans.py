"""A user's own scans: a BIDS dataset, or DICOM files that are converted first."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from qsmstudy.dataset import bids, tables
from qsmstudy.dataset.derivatives import file_beside
from qsmstudy.dataset.dicom_mapping import read_mapping
from qsmstudy.dataset.orphan_files import refuse_orphans
from qsmstudy.dataset.scans import Found, ScanFiles, choose_scans, find_scans, owner
from qsmstudy.errors import StudyError
from qsmstudy.study.source.base import ATLAS, Source
from qsmstudy.study.source.checks import lies_in
from qsmstudy.study.source.layout import ConvertedFiles, SimulatedFiles


class UserScans(Source):
    """Scans of a user, with labels, masks and participants beside them.

    A subclass names the scans; this class finds in `root` what belongs to them.
    """

    is_checked = True

    @property
    def root(self) -> str:
        """Folder of the user's participants, labels and masks."""
        return self.given.rstrip("/")

    @property
    def participants(self) -> str:
        """Table of the participants: given, or that of the dataset."""
        return self.config["participants"] or f"{self.root}/participants.tsv"

    def brain_mask(self, scan: str) -> str | None:
        """Return the user's brain mask of a scan, if there is one."""
        return _existing(self._beside("masks", scan))

    def lesion_mask(self, scan: str) -> str | None:
        """Return the user's lesion mask of a scan, if there is one."""
        return _existing(self._beside("lesions", scan))

    def labels(self, scan: str, rater: str) -> str | None:
        """Return a rater's label map of a scan, there or not; None: a registration makes it."""
        return None if rater == ATLAS else self._beside("raters", scan, rater=rater)

    def has_labels(self, scan: str, rater: str) -> bool:
        """Tell whether a rater's label map of a scan exists or will be made."""
        path = self.labels(scan, rater)
        return path is None or Path(path).exists()

    def label_table(self, rater: str) -> str:
        """Return the table that explains a rater's integers: the rater's own, or that of all."""
        if rater == ATLAS:
            return self.package_label_table
        folder = f"{self.root}/derivatives/raters"
        return _existing(f"{folder}/desc-rater{rater}_dseg.tsv") or f"{folder}/dseg.tsv"

    def label_table_to_draw(self, rater: str) -> str:
        """Return the label table for a picture, which can do with this package's."""
        return _existing(self.label_table(rater)) or self.package_label_table

    def _beside(self, folder: str, scan: str, **rater: str) -> str:
        """Return a scan's file in a derivative, uncompressed where only that exists."""
        path = file_beside(self.root, folder, scan, **rater)
        plain = path.removesuffix(".gz")
        return plain if Path(plain).exists() and not Path(path).exists() else path

    def is_output_of_study(self, path: str) -> bool:
        """Tell whether this study makes a file; the user's dataset may lie beside its outputs."""
        users = self.root.startswith(f"{self.output_dir}/") and path.startswith(f"{self.root}/")
        return super().is_output_of_study(path) and not users

    def user_files(self) -> Iterator[str]:
        """Yield the images, what lies beside them, and the tables."""
        yield from super().user_files()
        yield self.participants
        yield from (self.label_table(rater) for rater in self.drawing_raters)
        for scan in self.scans:
            yield from (*self.magnitude(scan), *self.phase(scan), *self.sidecars(scan))
            yield from self.given_labels(scan)
            yield from filter(None, (self.lesion_mask(scan), self.brain_mask(scan)))

    def check_files(self) -> None:
        """Refuse what the dates and names of the user's files show to be wrong."""
        super().check_files()
        refuse_orphans(self.root, self.scans, others=[*self.left_out, *self.unselected])

    def check_whole_study(self) -> None:
        """Refuse a study whose labels or participants do not cover its scans."""
        self._check_labels()
        self._check_participants()
        self._check_sessions()

    def _check_labels(self) -> None:
        drawn = [(scan, rater) for scan in self.scans_to_measure for rater in self.drawing_raters]
        if missing := [self.labels(*pair) for pair in drawn if not self.has_labels(*pair)]:
            raise StudyError(
                f"{len(missing)} of {len(drawn)} label maps are missing, the first: {missing[0]}. "
                "Add them, name the raters you have (raters), or ask for the maps alone (target "
                "chimaps)."
            )

    def _check_participants(self) -> None:
        rows = tables.read_rows(self.participants, columns=["participant_id"])
        listed = {str(row["participant_id"]) for row in rows}
        there = {owner(name)[0] for name in (*self.scans, *self.left_out)}
        scanned = {bids.participant_of(scan) for scan in self.scans}
        unscanned = set() if self.config["participant_label"] else listed - there
        if unscanned or scanned - listed:
            raise StudyError(
                f"{self.participants}: lists {', '.join(sorted(unscanned)) or 'nobody'} without a "
                f"scan, and lacks {', '.join(sorted(scanned - listed)) or 'nobody'}. Give a table "
                "of exactly the scanned participants (participants=FILE), or choose scans "
                "(participant_label)."
            )

    def _check_sessions(self) -> None:
        sessions = [(bids.participant_of(scan), bids.session_of(scan)) for scan in self.scans]
        if several := sorted({who for who, _ in sessions if sessions.count((who, _)) > 1}):
            raise StudyError(
                f"{', '.join(several)}: the tables need one scan per session; several are there. "
                'Choose one by select, e.g. {run: "1"}, or ask for the maps alone (target chimaps).'
            )

    def _take(self, found: Found) -> None:
        if not found.scans:
            reasons = "".join(f"\n- {name}: {why}" for name, why in found.left_out.items())
            raise StudyError(f"{self.root}: no scan can be used:{reasons}")
        super()._take(found)


class BidsSource(UserScans):
    """A user's BIDS dataset; `Source` says what it answers.

    Raises
    ------
    StudyError
        If the dataset lies where the simulated cohort is written, or no scan can be used.
    """

    kind = "bids"

    def __init__(self, config: Mapping[str, Any], *, repository: str) -> None:
        super().__init__(config, repository=repository)
        simulated = SimulatedFiles.of(config).folder
        if lies_in(self.given, simulated):
            raise StudyError(
                f"bids_dir {self.given}: lies in {simulated}, where the simulated cohort is "
                "written. Choose another output_dir."
            )
        self._take(
            find_scans(
                Path(self.root),
                participants=config["participant_label"],
                select=config["select"],
                n_echoes=config["n_echoes"],
            )
        )
        self._sidecars: dict[str, list[str]] = {}
        self._list_json = cache(bids.list_json)  # the root of a large dataset, read once

    @property
    def given(self) -> str:
        """The dataset."""
        return str(self.config["bids_dir"])

    def sidecars(self, scan: str) -> list[str]:
        """Return the JSON files that describe a scan's echoes, inherited ones included."""
        if scan not in self._sidecars:  # several rules ask, each more than once
            images = (*self.scans[scan].magnitude, *self.scans[scan].phase)
            applying = (bids.sidecars(image, listing=self._list_json) for image in images)
            self._sidecars[scan] = sorted({f"{path}" for paths in applying for path in paths})
        return self._sidecars[scan]


class DicomSource(UserScans):
    """A user's DICOM files and the mapping that names them; `Source` says what it answers.

    Raises
    ------
    StudyError
        If the number of echoes is not given, the mapping is wrong, or no scan can be used.
    """

    kind = "dicom"

    def __init__(self, config: Mapping[str, Any], *, repository: str) -> None:
        super().__init__(config, repository=repository)
        if not isinstance(config["n_echoes"], int):
            raise StudyError(
                "dicom_dir: n_echoes must be a number; a scan with fewer echoes is then an error. "
                "Give the protocol's, e.g. n_echoes=5."
            )
        mapping = config["dicom_mapping"] or f"{self.root}/mapping.tsv"
        self._files = ConvertedFiles.of(config)
        self.converted_descriptions = [self._files.description]
        self.dicoms = {scan.name: scan for scan in read_mapping(mapping, dicom_dir=self.given)}
        self._take(
            choose_scans(
                [self._scan(name) for name in self.dicoms],
                participants=config["participant_label"],
                select=config["select"],
                where=mapping,
            )
        )

    def _scan(self, name: str) -> ScanFiles:
        magnitude, phase = (self._files.echoes(name, part) for part in ("mag", "phase"))
        return ScanFiles(name, tuple(map(Path, magnitude)), tuple(map(Path, phase)))

    @property
    def given(self) -> str:
        """The folder of DICOM files."""
        return str(self.config["dicom_dir"])

    @property
    def raw_dataset(self) -> str:
        """Root of the dataset of the converted scans."""
        return self._files.folder


def _existing(path: str) -> str | None:
    return path if Path(path).exists() else None
