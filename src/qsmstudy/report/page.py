"""Rendering the report: one HTML file that needs nothing beside it."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from qsmstudy.errors import StudyError
from qsmstudy.report import numbers, viewer

MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".tsv": "text/tab-separated-values"}
_PAGE = "report.html.j2"

#: Packages whose versions shape the numbers and pictures.
PACKAGES = (
    "qsmstudy",
    "numpy",
    "scipy",
    "numba",
    "scikit-image",
    "nibabel",
    "pandas",
    "statsmodels",
    "pingouin",
    "scikit-learn",
    "matplotlib",
    "seaborn",
    "nilearn",
    "jinja2",
    "snakemake",
)


def data_uri(path: Path) -> str:
    """Return a file's content as a ``data:`` address.

    Raises
    ------
    StudyError
        If the file cannot be read or its kind is not one of `MEDIA_TYPES`.
    """
    path = Path(path)
    if path.suffix not in MEDIA_TYPES:
        raise StudyError(
            f"{path}: the report embeds {', '.join(MEDIA_TYPES)} files; got {path.suffix or path}."
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StudyError(f"{path}: not readable: {error}. Run the rule that makes it.") from error
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{base64.b64encode(content).decode()}"


def text_uri(text: str, media_type: str) -> str:
    """Return a text as a ``data:`` address."""
    return f"data:{media_type};base64,{base64.b64encode(text.encode()).decode()}"


def versions() -> dict[str, str]:
    """Return the installed versions of `PACKAGES`."""
    version_of = {}
    for name in PACKAGES:
        try:
            version_of[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return version_of


def as_yaml(config: Mapping[str, Any]) -> str:
    """Print a configuration as YAML, in its own order."""
    return yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True, width=96)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def environment(templates: Sequence[Path]) -> jinja2.Environment:
    """Return the template environment: everything is escaped, nothing may be undefined.

    Parameters
    ----------
    templates : sequence of Path
        The page `_PAGE`, and files in its folder and below.

    Raises
    ------
    StudyError
        If the page is not among them.
    """
    jinja = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_folder(templates)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["tight"] = numbers.tight
    return jinja


def _folder(templates: Sequence[Path]) -> Path:
    pages = [Path(path) for path in templates if Path(path).name == _PAGE]
    if len(pages) != 1:
        raise StudyError(f"templates: one {_PAGE} is needed; got {len(pages)} of them.")
    return pages[0].parent


def render(templates: Sequence[Path], content: Mapping[str, Any], *, name: str = _PAGE) -> str:
    """Fill the templates.

    Parameters
    ----------
    templates : sequence of Path
        See `environment`.
    content : mapping
        What the page shows, by name.
    name : str
        Template of the page, beside `_PAGE`.

    Returns
    -------
    str
        HTML. A content security policy in it forbids every request and every script but
        the page's own.
    """
    jinja = environment(templates)
    style, script = (
        (_folder(templates) / name).read_text(encoding="utf-8")
        for name in ("report.css", "report.js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    shows_maps = content.get("viewer") is not None
    return jinja.get_template(name).render(
        **content,
        style=Markup(style),  # our own file, not input
        script=Markup(script),
        script_hash=digest,
        niivue=viewer.assets(_folder(templates)) if shows_maps else None,
    )
