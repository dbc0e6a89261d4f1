"""Where masks and label maps lie beside the scans of a BIDS dataset, and how they are named."""

from qsmstudy.dataset.bids import scan_folder

#: What lies in a dataset's ``derivatives/<folder>/sub-*/[ses-*/]anat``: how the names end.
ENDINGS = {
    "masks": "desc-brain_mask",
    "lesions": "label-lesion_mask",
    "raters": "desc-rater{rater}_dseg",
}


def file_beside(root: str, folder: str, scan: str, *, rater: str = "A") -> str:
    """Return the path of a scan's file in one of the folders of `ENDINGS`.

    Examples
    --------
    >>> file_beside("data", "raters", "sub-01_ses-2", rater="B")
    'data/derivatives/raters/sub-01/ses-2/anat/sub-01_ses-2_desc-raterB_dseg.nii.gz'
    """
    ending = ENDINGS[folder].format(rater=rater)
    return f"{root}/derivatives/{folder}/{scan_folder(scan)}/anat/{scan}_{ending}.nii.gz"
