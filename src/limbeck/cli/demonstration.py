"""The study that ``make demo`` runs: the whole line on embedded real data, in under three minutes on two cores."""

from limbeck.study.reading import parse_study
from limbeck.study.study import Study

__all__ = ["demonstration"]

_STUDY = """
name: demo
source: digits
methods:
  - random
  - {name: random, labels: soft}
  - herding
  - kmeans
  - kcenter
  - {name: dm, set: {lr: 3.0}, label: dm}
  - {name: dsa, set: {lr: 0.3}, label: dsa, per_class: [1, 5]}
per_class: [1, 2, 5, 10]
distillation_seeds: 3
seconds: {1: 2s, 2: 2s, 5: 3s, 10: 3s}
network: convnet-2-32
evaluation: {configurations: [own], seeds: 2, together: 2, splits: [test]}
references: {matched: 2}
compute: {device: cpu, precision: float32, compilation: "off"}
processes: 2
threads: 1
"""


def demonstration() -> Study:
    """Two methods and the baselines on the digits, at several sizes."""
    return parse_study(_STUDY)
