"""What kind of study this is, and where its scans, labels, masks and participants lie.

`choose_source` alone looks at which keys of the configuration are given. A further kind of study
is one more class here and one more line there.
"""

from qsmstudy.study.source.base import ATLAS, Source
from qsmstudy.study.source.choice import choose_source

__all__ = ["ATLAS", "Source", "choose_source"]
