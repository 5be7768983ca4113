"""How studies call the rows that tell whether a method's largest sizes have converged."""

from collections.abc import Iterable

from limbeck.evaluation.records import Records

__all__ = ["ENDINGS", "doubled_for", "doubled_names"]

ENDINGS = (", twice as long", "-twice")  # added to a method's name for twice its distillation budget


def doubled_names(methods: Iterable[str]) -> dict[str, str]:
    """Method to the name of the same by twice the distillation budget, for those of ``methods`` that have one."""
    known = set(methods)
    return {name: name + ending for ending in ENDINGS for name in known if name + ending in known}


def doubled_for(records: Records, method: str) -> str | None:
    """What ``method`` is called by twice its budget, where ``records`` hold such rows of sizes that it has, too."""
    name = doubled_names({row.method for row in records}).get(method)
    sizes = {row.per_class for row in records if row.method == method}
    return name if any(row.method == name and row.per_class in sizes for row in records) else None
