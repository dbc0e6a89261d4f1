"""Reading a bibliography and numbering citations in order of appearance."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qsmstudy.errors import StudyError

_ENTRY = re.compile(r"@\w+\{(?P<key>[^,\s]+),(?P<body>.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?\s*$", re.MULTILINE)
_CITATION = re.compile(r"\s*\[@([^\]]+)\]")


@dataclass(frozen=True)
class BibliographyEntry:
    """One work of the bibliography."""

    key: str
    authors: str
    title: str
    source: str
    doi: str


@dataclass(frozen=True)
class Sentence:
    """A sentence cut at its citations.

    Attributes
    ----------
    parts : tuple of str or tuple of int
        Text, and the numbers of the works cited after it.
    """

    parts: tuple[str | tuple[int, ...], ...]


def parse(bibliography: str) -> dict[str, BibliographyEntry]:
    r"""Read BibTeX entries whose fields stand on one line each, in braces.

    Parameters
    ----------
    bibliography : str
        Content of a ``.bib`` file.

    Returns
    -------
    dict
        Works by key.

    Examples
    --------
    >>> entry = "@article{a1,\n author = {Roe, Jane},\n title = {On {MRI}},\n year = {2020},\n}"
    >>> parse(entry)["a1"].authors, parse(entry)["a1"].title
    ('Roe J', 'On MRI')
    """
    works = {}
    for entry in _ENTRY.finditer(bibliography):
        fields = {name.lower(): _plain(value) for name, value in _FIELD.findall(entry["body"])}
        place = fields.get("journal", "")
        issue = ";".join(filter(None, (fields.get("year"), fields.get("volume"))))
        pages = fields.get("pages", "").replace("-", "–")
        works[entry["key"]] = BibliographyEntry(
            key=entry["key"],
            authors=_authors(fields.get("author", "")),
            title=fields.get("title", ""),
            source=f"{place}. {issue}{':' + pages if pages else ''}".lstrip(". "),
            doi=fields.get("doi", ""),
        )
    return works


def without_citations(sentence: str) -> str:
    """Return a sentence without its citations.

    Examples
    --------
    >>> without_citations("It was so [@roe2020].")
    'It was so.'
    """
    return _CITATION.sub("", sentence)


def _plain(value: str) -> str:
    for accent, letter in ((r"{\"o}", "ö"), (r"{\"u}", "ü"), (r"{\"a}", "ä")):
        value = value.replace(accent, letter)
    return value.replace("{", "").replace("}", "")


def _authors(field: str, *, most: int = 6) -> str:
    names = []
    for name in field.split(" and "):
        last, _, first = name.partition(", ")
        initials = "".join(word[0] for word in re.split(r"[\s\-]+", first) if word)
        names.append("et al" if name == "others" else f"{last} {initials}".strip())
    if "et al" in names or len(names) <= most:
        return ", ".join(names)
    return ", ".join([*names[: most - 3], "et al"])


class Citations:
    """Numbers for cited works, given in order of first appearance.

    Parameters
    ----------
    works : mapping
        The bibliography.
    """

    def __init__(self, works: Mapping[str, BibliographyEntry]) -> None:
        self._works = works
        self._numbers: dict[str, int] = {}

    def sentence(self, text: str) -> Sentence:
        """Cut a sentence at its ``[@key, @key]`` and number them.

        Raises
        ------
        StudyError
            If a key is not in the bibliography.
        """
        pieces = _CITATION.split(text)
        parts: list[str | tuple[int, ...]] = []
        for index, piece in enumerate(pieces):
            if index % 2:
                keys = re.split(r"\s*,\s*@?", piece)
                parts.append(tuple(self._number(key) for key in keys))
            elif piece:
                parts.append(piece)
        return Sentence(tuple(parts))

    def paragraph(self, sentences: Iterable[str]) -> list[Sentence]:
        """Cut several sentences in turn."""
        return [self.sentence(text) for text in sentences]

    def _number(self, key: str) -> int:
        if key not in self._works:
            raise StudyError(
                f"references: {key} is cited but not in the bibliography; it holds "
                f"{', '.join(self._works)}. Add the entry to the .bib file."
            )
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    @property
    def cited(self) -> list[BibliographyEntry]:
        """The cited works in the order of their numbers."""
        return [self._works[key] for key in self._numbers]

    def bibtex(self, bibliography: str) -> str:
        """Return the BibTeX entries of the cited works in the order of their numbers."""
        entries = {found["key"]: found[0] for found in _ENTRY.finditer(bibliography)}
        return "\n\n".join(entries[key] for key in self._numbers) + "\n"
