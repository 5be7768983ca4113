"""The study that ``make demo`` runs: the whole line on embedded real data, in under three minutes on two cores."""

from limbeck.study.reading import parse_study
from limbeck.study.study import Study

__all__ = ["demonstration"]

_STUDY = """
name: demo
source: digits
methods:
  - {name: random, label: random, labels: [hard, soft], set: {updates: 60, recipe.optimizer.lr: 0.05}}
  - {name: herding, label: herding, labels: [hard], set: {updates: 60, recipe.optimizer.lr: 0.05}}
  - {name: kmeans, label: kmeans, labels: [hard], set: {updates: 60, recipe.optimizer.lr: 0.05}}
  - {name: kcenter, label: kcenter, labels: [hard], set: {updates: 60, recipe.optimizer.lr: 0.05}}
  - name: dm
    label: dm
    per_class: [1]
    iterations: 100
    set: {updates: 60, recipe.optimizer.lr: 0.05, lr: 2.0, real_batch: 64}
  - name: dm
    label: dm
    per_class: [5, 10]
    iterations: 80
    set: {updates: 60, recipe.optimizer.lr: 0.05, lr: 10.0, real_batch: 64}
  - name: dsa
    label: dsa
    per_class: [1]
    iterations: 20
    set: {updates: 60, recipe.optimizer.lr: 0.05, lr: 0.4, real_batch: 32}
  - name: dsa
    label: dsa
    per_class: [5]
    iterations: 20
    set: {updates: 60, recipe.optimizer.lr: 0.05, lr: 1.5, inner: 2, real_batch: 32}
per_class: [1, 5, 10]
distillation_seeds: 3
network: convnet-2-32
evaluation: {configurations: [own], architectures: [mlp], seeds: 1, splits: [test]}
references: {matched: 2}
compute: {device: cpu, precision: float32, compilation: "off"}
processes: 2
threads: 1
"""


def demonstration() -> Study:
    """Two methods and the baselines on the digits, at several sizes."""
    return parse_study(_STUDY)
