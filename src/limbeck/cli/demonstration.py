"""The study that ``make demo`` runs: the whole line on embedded real data, in under three minutes on two cores."""

from limbeck.study.reading import parse_study
from limbeck.study.study import Study

__all__ = ["demonstration"]

_STUDY = """
name: demo
source: digits
methods:
  - {name: random, labels: [hard, soft]}
  - herding
  - kmeans
  - kcenter
  - {name: dm, label: dm, per_class: [1, 2], iterations: 100, set: {lr: 2.0, real_batch: 64}}
  - {name: dm, label: dm, per_class: [5, 10, 20], iterations: 80, set: {lr: 10.0, real_batch: 64}}
  - {name: dsa, label: dsa, per_class: [1, 2], iterations: 40, set: {lr: 0.2, inner: 2, real_batch: 64}}
  - {name: dsa, label: dsa, per_class: [5], iterations: 30, set: {lr: 1.0, inner: 2, real_batch: 64}}
per_class: [1, 2, 5, 10, 20]
distillation_seeds: 3
network: convnet-2-32
evaluation: {configurations: [quick], architectures: [convnet-2-32, mlp, lenet], seeds: 1, splits: [test]}
references: {matched: 2}
compute: {device: cpu, precision: float32, compilation: "off"}
processes: 2
threads: 1
"""


def demonstration() -> Study:
    """Two methods and the baselines on the digits, at several sizes."""
    return parse_study(_STUDY)
