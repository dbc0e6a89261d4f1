"""Reading and writing the files of a BIDS dataset, images excepted."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qsmstudy.dataset import tables
from qsmstudy.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(path: Path):
    """Yield a temporary name in the folder of `path`; rename it to `path` on success.

    A reader never sees a half-written file, and a failed writer leaves none behind; what a
    killed one leaves is overwritten by the next.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    suffixes = "".join(path.suffixes[-2:]) if path.name.endswith(".nii.gz") else path.suffix
    temporary = path.with_name(f".{path.name.split('.')[0]}.partial{suffixes}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def scan_folder(name: str) -> str:
    """Return ``sub-x[/ses-y]`` for a scan's name ``sub-x[_ses-y][_run-z]``."""
    session = session_of(name)
    return participant_of(name) + (f"/{session}" if session else "")


def participant_of(name: str) -> str:
    """Return ``sub-x`` for a scan's name ``sub-x[_ses-y][_run-z]``."""
    return name.split("_")[0]


def session_of(name: str) -> str | None:
    """Return ``ses-y`` for ``sub-x_ses-y[_run-z]``, None for ``sub-x[_run-z]``."""
    return next((part for part in name.split("_") if part.startswith("ses-")), None)


def sidecar_path(image: Path) -> Path:
    """Return the JSON path beside an image ``*.nii[.gz]``."""
    image = Path(image)
    return image.with_name(re.sub(r"\.nii(\.gz)?$", "", image.name) + ".json")


def list_json(folder: Path) -> list[Path]:
    """List a folder's JSON files, those with the fewest entities first."""
    return sorted(Path(folder).glob("*.json"), key=lambda path: path.name.count("_"))


def sidecars(image: Path, *, listing: Callable[[Path], Iterable[Path]] = list_json) -> list[Path]:
    """List the JSON files that apply to an image by the inheritance principle, weakest first.

    A file applies when it lies in the image's folder or one above it within the
    dataset, has the same suffix, and all its entities are among the image's.

    Parameters
    ----------
    image : Path
        An image of a BIDS dataset.
    listing : callable, optional
        Does what `list_json` does; one that remembers spares a large dataset's root, whose
        entries are as many as its participants, from being read for each image.
    """
    image = Path(image)
    stem = re.sub(r"\.nii(\.gz)?$", "", image.name)
    *entities, suffix = stem.split("_")
    depths = [i for i, part in enumerate(image.parts[:-1]) if part in entities[:1]]
    n_up = len(image.parts) - 1 - depths[-1] if depths else 0
    folders = [image.parent, *list(image.parents)[1 : n_up + 1]]
    paths = []
    for folder in reversed(folders):
        for path in listing(folder):
            *own, own_suffix = path.stem.split("_")
            if own_suffix == suffix and set(own) <= set(entities):
                paths.append(path)
    return paths


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object, with the file's name in any error."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StudyError(f"{path}: not a readable JSON file: {error}.") from error
    if not isinstance(content, dict):
        raise StudyError(f"{path}: must hold a JSON object; got a {type(content).__name__}.")
    return content


def read_sidecar(image: Path) -> dict[str, Any]:
    """Merge the sidecars that apply to an image; the nearest file wins."""
    merged: dict[str, Any] = {}
    for path in sidecars(image):
        merged |= read_json(path)
    return merged


def sidecar_number(image: Path, key: str) -> float:
    """Return a positive number from an image's sidecars.

    Raises
    ------
    StudyError
        If the field is missing or not a positive number.
    """
    content = read_sidecar(image)
    if key not in content:
        raise StudyError(
            f"{Path(image).name}: {key} is in none of its JSON sidecars. "
            f"Add it to {sidecar_path(image).name}."
        )
    value = content[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise StudyError(
            f"{sidecar_path(image).name}: {key} must be a positive number; got {value!r}."
        )
    return float(value)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object, two-space indented, UTF-8, through a temporary name."""
    with replacing(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False, default=_plain)
        temporary.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # a number or an array of NumPy, which planning does without
        return value.tolist()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} does not go into JSON")


def read_tsv(path: Path, *, columns: Iterable[str] = ()) -> "pd.DataFrame":
    """Read a BIDS table with pandas: tab-separated, ``n/a`` for missing.

    Parameters
    ----------
    path : Path
        The table.
    columns : iterable of str
        Columns that must be present.

    Raises
    ------
    StudyError
        If the file is unreadable or lacks a column.
    """
    import pandas as pd  # a quarter of the start of every image step, which reads no table

    try:
        frame = pd.read_csv(
            path,
            sep="\t",
            na_values=["n/a"],
            keep_default_na=False,
            dtype={"participant_id": str, "session": str, "rater": str, "roi": str},
            encoding="utf-8-sig",
        )
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise StudyError(f"{path}: not a readable tab-separated table: {error}.") from error
    _check_widths(path)
    tables.check_columns(columns, frame.columns, where=f"{path}")
    return frame


def _check_widths(path: Path) -> None:
    """Refuse a line that is longer or shorter than the first, which pandas would shift or fill."""
    with Path(path).open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t")
        width = len(next(reader, []))
        for cells in reader:
            if cells:
                tables.check_width(cells, width, where=f"{path}: line {reader.line_num}")


def write_tsv(path: Path, frame: "pd.DataFrame") -> None:
    """Write a tidy table: tabs, ``n/a``, ten significant digits, through a temporary name.

    Ten digits hold every published decimal with room to spare and hide the last bits of
    round-off, so that identical runs give identical bytes.
    """
    with replacing(path) as temporary:
        frame.to_csv(temporary, sep="\t", na_rep="n/a", index=False, float_format="%.10g")
