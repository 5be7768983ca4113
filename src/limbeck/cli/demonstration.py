"""The study that ``make demo`` runs: a pilot on embedded real data, in under three minutes on two cores."""

from limbeck.networks.names import architecture
from limbeck.study.reading import parse_study
from limbeck.study.study import Study
from limbeck.training.configuration import Configuration, Step, Updates
from limbeck.training.optimizer import SGD
from limbeck.values import replace

__all__ = ["REMARK", "demonstration"]

REMARK = (
    "This is a demonstration, not evidence: digits have about 105 training images a class, so sizes end at 20, and the "
    "distillations and trainings are short. limbeck pilot SOURCE --budget 1h says more about your own data."
)

# A class mean's gradient is shared by its images, so that the image learning rate of short runs grows with the size.
_STUDY = """
name: demo
source: digits
methods:
  - {name: random, label: random, set: &short {updates: 60, recipe.optimizer.lr: 0.05}}
  - {name: random, label: random, labels: soft, per_class: &few [1, 5, 20], set: *short}
  - {name: herding, label: herding, per_class: *few, set: *short}
  - {name: kmeans, label: kmeans, per_class: *few, set: *short}
  - {name: kcenter, label: kcenter, per_class: *few, set: *short}
  - {name: dm, label: dm, per_class: [1], iterations: 100, set: {<<: *short, lr: 2.0, real_batch: 64}}
  - {name: dm, label: dm, per_class: [2], iterations: 80, set: {<<: *short, lr: 4.0, real_batch: 64}}
  - {name: dm, label: dm, per_class: [3], iterations: 80, set: {<<: *short, lr: 6.0, real_batch: 64}}
  - {name: dm, label: dm, per_class: [5, 8, 12], iterations: 80, set: {<<: *short, lr: 10.0, real_batch: 64}}
  - {name: dm, label: dm, per_class: [20], iterations: 80, set: {<<: *short, lr: 20.0, real_batch: 64}}
  - {name: dsa, label: dsa, per_class: [1], iterations: 20, set: {<<: *short, lr: 0.4, real_batch: 32}}
  - {name: dsa, label: dsa, per_class: [5], iterations: 20, set: {<<: *short, lr: 1.5, inner: 2, real_batch: 32}}
per_class: [1, 2, 3, 5, 8, 12, 20]
distillation_seeds: 3
network: convnet-2-32
evaluation: {configurations: [own], seeds: 1, splits: [test]}
references: {matched: 3}
compute: {device: cpu, precision: float32, compilation: "off"}
processes: 2
threads: 1
"""


def demonstration() -> Study:
    """Two methods and the baselines on the digits, at several sizes, judged by a ConvNet and by an MLP."""
    study = parse_study(_STUDY)
    mlp = Configuration("mlp", architecture("mlp"), SGD(lr=0.05), Step(), length=Updates(150))
    return replace(study, evaluation=replace(study.evaluation, configurations=("own", mlp)))
