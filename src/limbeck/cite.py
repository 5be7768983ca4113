"""Whom to cite: method → BibTeX. The keys stand in the table of methods, the entries in ``references.bib``."""

import re
from functools import cache
from importlib.resources import files

from limbeck.errors import OptionError, unknown

__all__ = ["cite", "entries", "entry"]


@cache
def entries() -> dict[str, str]:
    """All BibTeX entries of ``references.bib``: key → entry as it stands in the file."""
    text = files("limbeck").joinpath("references.bib").read_text(encoding="utf-8")
    found = re.findall(r"^(@\w+\{([^,\s]+),.*?^\})$", text, re.MULTILINE | re.DOTALL)
    return {key: whole for whole, key in found}


def entry(key: str) -> str:
    """The BibTeX entry behind a ``key``; OptionError with the nearest keys for an unknown one."""
    if key not in entries():
        raise unknown("reference", key, entries())
    return entries()[key]


def cite(*methods: str) -> str:
    """BibTeX of everything that the named ``methods`` rest on, each entry once, a method's own source first.

    methods: names of the table of methods, at least one. "" for a method without a source, such as random choice.
    Raises OptionError with the nearest names for an unknown one.
    """
    from limbeck.distillation.methods import METHODS

    if not methods:
        raise OptionError(f"nothing to cite: name at least one method of {', '.join(sorted(METHODS))}.")
    for method in methods:
        if method not in METHODS:
            raise unknown("method", method, METHODS)
    keys = dict.fromkeys(key for method in methods for key in METHODS[method].sources)
    return "\n\n".join(entry(key) for key in keys)
