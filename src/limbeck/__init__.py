"""limbeck: dataset distillation that is tested, reproducible and honest.

``import limbeck`` is light: PyTorch is loaded when the first name is used.
"""

import importlib
from typing import Any

_WHERE = {
    "Compute": "limbeck.compute",
    "Configuration": "limbeck.training.configuration",
    "Examples": "limbeck.data.examples",
    "LimbeckError": "limbeck.errors",
    "Records": "limbeck.evaluation.records",
    "ScalingLaw": "limbeck.laws.scaling",
    "Study": "limbeck.study.study",
    "SyntheticSet": "limbeck.synthetic.synthetic_set",
    "Task": "limbeck.data.task",
    "data": "limbeck.data",
    "distill": "limbeck.distillation.distill",
    "evaluate": "limbeck.evaluation.evaluate",
}

__all__ = sorted(_WHERE)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'limbeck' has no attribute '{name}'")
    module = importlib.import_module(_WHERE[name])
    return module if _WHERE[name] == f"limbeck.{name}" and not hasattr(module, name) else getattr(module, name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
