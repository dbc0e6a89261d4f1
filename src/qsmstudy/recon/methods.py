"""The methods of every reconstruction step, each stated once.

A step's dispatch, the allowed words of its option, its words in the methods text, its name in
sidecars and what the consensus says of it follow from the records here. A record names its
function by an entry point, so that this module imports no numerical package.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from qsmstudy.options import check_word


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
        How the methods text describes it, with ``[@key]`` citations.
    options : tuple of str
        Options of its section that it uses, beside those of every method.
    deviation : str or None
        In which way it deviates from the consensus recommendations (doi:10.1002/mrm.30006), and why
        that matters; None where it follows them.
    """

    name: str
    function: str
    title: str
    words: str
    options: tuple[str, ...] = ()
    deviation: str | None = None

    def load(self) -> Callable[..., Any]:
        """Return the function."""
        module, _, name = self.function.partition(":")
        return getattr(import_module(module), name)


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
    def words(self) -> dict[str, str]:
        """Words of the methods text by name: the allowed words of the option."""
        return {name: method.words for name, method in self.items()}

    def named(self, name: str) -> Method:
        """Return the method of this name.

        Raises
        ------
        StudyError
            If there is none; the message names the closest.
        """
        return self[check_word(self.option, name, self)]


_LAPLACIAN = (
    "the field was unwrapped by a Laplacian method, not exactly: such a method also changes the "
    "field smoothly, and the background removal does not take all of that change away"
)

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
    ],
)
