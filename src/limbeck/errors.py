"""Everything that can go wrong, one exception per reason.

::

    LimbeckError                 one sentence: what, why, what instead (the command line exits with code 2)
    ├── SourceError              real data is missing, corrupt, or not what the source expects
    ├── OptionError              an unknown name or a value outside its domain
    ├── FitError                 data, network and method do not fit together (shape, classes, counts)
    ├── ArtifactError            a stored synthetic set, checkpoint or result file cannot be used
    │   └── MismatchError        a set is evaluated on a task that is not the one it was made from
    ├── DirectoryError           the output directory belongs to something else, or cannot be written
    ├── DeviceError              the device, precision or compiler asked for is not there
    ├── SealedTestError          somebody other than the evaluation asked for the test split
    └── EvidenceError            too few sizes, seeds or rows for the statement asked for
"""

import difflib
from collections.abc import Iterable

__all__ = [
    "ArtifactError",
    "DeviceError",
    "DirectoryError",
    "EvidenceError",
    "FitError",
    "LimbeckError",
    "MismatchError",
    "OptionError",
    "SealedTestError",
    "SourceError",
    "unknown",
]


class LimbeckError(Exception):
    """A problem that the user can mend; its text is one sentence."""


class SourceError(LimbeckError):
    """Real data is missing, corrupt, or not what the source expects."""


class OptionError(LimbeckError):
    """An unknown name, or a value outside its domain."""


class FitError(LimbeckError):
    """Data, network and method do not fit together."""


class ArtifactError(LimbeckError):
    """A stored set, checkpoint or result file cannot be used."""


class MismatchError(ArtifactError):
    """The task is not the one that the set was made from."""


class DirectoryError(LimbeckError):
    """The output directory belongs to something else, or cannot be written."""


class DeviceError(LimbeckError):
    """The device, precision or compiler asked for is not there."""


class SealedTestError(LimbeckError):
    """Somebody other than the evaluation asked for the test split."""


class EvidenceError(LimbeckError):
    """Too few sizes, seeds or rows for the statement asked for."""


def unknown(what: str, name: str, known: Iterable[str]) -> OptionError:
    """The error for an unknown ``name`` of a ``what``, with the nearest known names."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(names)}."
    return OptionError(f"unknown {what} '{name}': {hint}")
