"""What makes the maps a BIDS derivative dataset."""

from typing import Any

from qsmstudy import __version__

BIDS_VERSION = "1.10.0"

README = """# Susceptibility maps

One folder per participant or session. Files begin with the scan's name.

| file | meaning | unit |
|---|---|---|
| `_Chimap` | magnetic susceptibility; its zero is stated in the sidecar (`Reference`) | ppm |
| `_R2starmap` | effective transverse relaxation rate | 1/s |
| `_desc-wrapped_fieldmap` | frequency fitted to the echoes, wrapped | Hz |
| `_desc-noise_fieldmap` | its standard deviation | Hz |
| `_desc-residual_fieldmap` | relative residual of the fit | 1 |
| `_desc-total_fieldmap` | frequency, unwrapped | Hz |
| `_desc-local_fieldmap` | frequency of sources inside the brain | Hz |
| `_desc-combined_magnitude` | root sum of squares of all echoes | arbitrary |
| `_desc-brain_mask` | brain | 0 or 1 |
| `_desc-field_mask` | where the local field is defined | 0 or 1 |

Every image has a JSON sidecar with its unit, sources and parameters. Maps lie on the grid of the
scan; nothing was resampled.
"""

#: Field maps and combined magnitudes stand beside the maps; BIDS knows these suffixes in ``fmap``.
IGNORED = """*_fieldmap.nii.gz
*_fieldmap.json
*_magnitude.nii.gz
*_magnitude.json
"""


def maps_description(title: str, *, source: str) -> dict[str, Any]:
    """Return ``dataset_description.json`` of the maps.

    Parameters
    ----------
    title : str
        Of the study.
    source : str
        The dataset of the scans, relative to the maps or absolute.
    """
    return {
        "Name": f"Susceptibility maps: {title}",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": "qsmstudy",
                "Version": __version__,
                "Description": "quantitative susceptibility mapping",
            }
        ],
        "SourceDatasets": [{"URL": source}],
    }


def converted(title: str) -> dict[str, Any]:
    """Return ``dataset_description.json`` of scans converted from DICOM files."""
    return {
        "Name": f"Scans of: {title}",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [
            {
                "Name": "dcm2niix",
                "Description": f"by qsmstudy {__version__}, rule convert_dicoms",
            }
        ],
    }
