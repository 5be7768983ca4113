"""What a method's defaults may depend on: the data's shape, the size asked for, and the network to distil with."""

from dataclasses import dataclass

from limbeck.data.augment import DSA
from limbeck.data.augmentation import Augmentation
from limbeck.data.nothing import Nothing
from limbeck.data.task import Task
from limbeck.networks.names import architecture
from limbeck.networks.network import Architecture
from limbeck.training.configuration import Configuration, Epochs, Step, Updates
from limbeck.training.optimizer import SGD

__all__ = ["Setting", "default_network"]

TEACHER_EPOCHS = 10


@dataclass(frozen=True)
class Setting:
    """per_class: stored examples a class (the largest, where classes differ); shape and classes of the task.

    spread: raw units in one unit of a preprocessed image, a mean over channels: rates that were published for pixels in
            [0, 1] are converted by it. 1 for tables.
    """

    shape: tuple[int, ...]
    classes: int
    per_class: int
    architecture: Architecture
    spread: float = 1.0

    @staticmethod
    def of(task: Task, per_class: int | tuple[int, ...], network: Architecture | None = None) -> "Setting":
        """The setting of a task; ``network`` None takes the default for its shape."""
        largest = per_class if isinstance(per_class, int) else max(per_class)
        spread = float(task.preprocessing.std.mean()) if len(task.shape) == 3 else 1.0
        chosen = network or architecture(default_network(task.shape))
        return Setting(task.shape, len(task.classes), largest, chosen, spread)

    @property
    def augmentation(self) -> Augmentation:
        """DSA for images; without flips for one channel, because most such images (digits, text, scans) have a side."""
        if len(self.shape) != 3:
            return Nothing()
        strategy = "color_crop_cutout_flip_scale_rotate" if self.shape[0] > 1 else "color_crop_cutout_scale_rotate"
        return DSA(strategy=strategy)

    def recipe(self, *, augmented: bool = True) -> Configuration:
        """The field's recipe at equal updates: 1,000 with augmentation, 300 without [zhao2021dsa]."""
        augmentation = self.augmentation if augmented else Nothing()
        updates = 300 if isinstance(augmentation, Nothing) else 1000
        return Configuration("own", self.architecture, SGD(), Step(), augmentation, Updates(updates))

    @property
    def teacher(self) -> Configuration:
        """A network on all real training examples: SGD 0.01, a few epochs, stepped down at half and three quarters."""
        schedule = Step(at=(0.5, 0.75))
        return Configuration(
            "teacher", self.architecture, SGD(), schedule, self.augmentation, Epochs(TEACHER_EPOCHS), 128
        )


def default_network(shape: tuple[int, ...]) -> str:
    """The network that a method distils with unless told otherwise: by shape alone, so that results do not depend on
    the machine. Width 32 keeps a laptop usable; papers use ``convnet-3-128``."""
    if len(shape) == 1:
        return "mlp"
    return "convnet-3-32" if min(shape[1:]) >= 16 else "convnet-2-32"
