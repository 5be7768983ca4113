"""What a network shows of each example: features, attention maps, logits, loss."""

from typing import ClassVar, final

from torch import Tensor
from torch.nn import functional as F

from limbeck.errors import FitError, OptionError
from limbeck.matching.batch import Batch
from limbeck.matching.per_example import PerExample
from limbeck.networks.network import Outputs
from limbeck.training.loss import example_losses
from limbeck.values import value

__all__ = ["Attention", "Features", "Logits", "Losses"]


@final
@value
class Features(PerExample):
    """Flattened features of one layer [zhao2023dm].

    layer: −1 for the embedding that the classifier sees, or i ≥ 0 for the map of stage i.
    Raises FitError where the network has no such stage.
    """

    layer: int = -1

    def __post_init__(self) -> None:
        if self.layer < -1:
            raise OptionError(f"layer is {self.layer}: use -1 for the embedding or 0, 1, … for the stages.")

    def look(self, outputs: Outputs, batch: Batch) -> tuple[Tensor, ...]:
        del batch
        if self.layer == -1:
            return (outputs.embedding,)
        if self.layer >= len(outputs.maps):
            have = f"but the network has {len(outputs.maps)}, counted from 0"
            raise FitError(f"features of stage {self.layer} were asked for, {have}: use an earlier one, or layer=-1.")
        return (outputs.maps[self.layer].flatten(1),)


@final
@value
class Attention(PerExample):
    """Spatial attention of every stage but the last: v/‖v‖₂, v = vec Σ_channels |F|^power [sajedi2023datadam].

    power: ≥ 1; 4 in the paper's table, 1 in its code. Raises FitError without two stages of maps.
    """

    power: int = 4

    def __post_init__(self) -> None:
        if self.power < 1:
            raise OptionError(f"the attention's power is {self.power}: it must be at least 1.")

    def look(self, outputs: Outputs, batch: Batch) -> tuple[Tensor, ...]:
        del batch
        maps = outputs.maps[:-1]
        if not maps or any(m.ndim != 4 for m in maps):
            raise FitError("attention needs a network with at least two stages of image maps: use a ConvNet.")
        return tuple(F.normalize(m.abs().pow(self.power).sum(1).flatten(1), dim=1) for m in maps)


@final
@value
class Logits(PerExample):
    """The network's logits (n, k)."""

    def look(self, outputs: Outputs, batch: Batch) -> tuple[Tensor, ...]:
        del batch
        return (outputs.logits,)


@final
@value
class Losses(PerExample):
    """The cross-entropy of each example with its own hard or soft target, (n, 1).

    Under the trained network, where other views look at a blend of it with a random one.
    """

    of_trained: ClassVar[bool] = True

    def look(self, outputs: Outputs, batch: Batch) -> tuple[Tensor, ...]:
        targets = batch.labels if batch.targets is None else batch.targets
        return (example_losses(outputs.logits, targets, "cross_entropy")[:, None],)
