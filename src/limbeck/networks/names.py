"""The networks by name.

For 8×8 images (digits) all fit but convnet-4-128 (16×16 at least) and convnet-5-128 (32×32 at least; 28×28 is padded to
32×32); convnet-2-32, convnet-3-32, mlp, alexnet-32, vgg11-16, resnet18-16, vit and their batch-norm forms are quick on
a CPU. Tables (rows of features): mlp and mlp-32.
"""

from collections.abc import Mapping

from limbeck.networks.alexnet import AlexNet
from limbeck.networks.convnet import ConvNet
from limbeck.networks.lenet import LeNet
from limbeck.networks.mlp import MLP
from limbeck.networks.network import Architecture
from limbeck.networks.resnet import ResNet18
from limbeck.networks.vgg import VGG11
from limbeck.networks.vit import ViT
from limbeck.options import pick

__all__ = ["NETWORKS", "architecture"]

NETWORKS: Mapping[str, tuple[Architecture, str]] = {
    "convnet-3-128": (ConvNet(), "the field's yardstick: 3 blocks of 128 channels, instance norm"),
    "convnet-3-32": (ConvNet(width=32), "the yardstick with 32 channels, for CPU studies; 8×8 images fit"),
    "convnet-2-32": (ConvNet(depth=2, width=32), "2 blocks of 32 channels, instance norm; for 8×8 images"),
    "convnet-4-128": (ConvNet(depth=4), "4 blocks of 128 channels, for 64×64 images"),
    "convnet-5-128": (ConvNet(depth=5), "5 blocks of 128 channels, for 128×128 images"),
    "convnet-3-128-bn": (ConvNet(norm="batch"), "the yardstick with batch norm"),
    "convnet-3-32-bn": (ConvNet(width=32, norm="batch"), "3 blocks of 32 channels, batch norm"),
    "convnet-2-32-bn": (ConvNet(depth=2, width=32, norm="batch"), "2 blocks of 32 channels, batch norm"),
    "convnet-3-32-ln": (ConvNet(width=32, norm="layer"), "3 blocks of 32 channels, layer norm"),
    "mlp": (MLP(), "2 hidden layers of 128 units; images or tables"),
    "mlp-32": (MLP(width=32), "2 hidden layers of 32 units; images or tables"),
    "lenet": (LeNet(), "LeNet-5 with ReLU and max pooling"),
    "alexnet": (AlexNet(), "5 convolutions without norm, the field's form for small images"),
    "alexnet-32": (AlexNet(width=32), "alexnet at a quarter of its width, for CPU studies"),
    "vgg11": (VGG11(), "8 convolutions, instance norm"),
    "vgg11-bn": (VGG11(norm="batch"), "8 convolutions, batch norm"),
    "vgg11-16": (VGG11(width=16), "vgg11 at a quarter of its width, for CPU studies"),
    "vgg11-16-bn": (VGG11(width=16, norm="batch"), "vgg11-bn at a quarter of its width, for CPU studies"),
    "resnet18": (ResNet18(), "18 layers with shortcuts, stem for small images, instance norm"),
    "resnet18-bn": (ResNet18(norm="batch"), "18 layers with shortcuts, stem for small images, batch norm"),
    "resnet18-16": (ResNet18(width=16), "resnet18 at a quarter of its width, for CPU studies"),
    "resnet18-16-bn": (ResNet18(width=16, norm="batch"), "resnet18-bn at a quarter of its width, for CPU studies"),
    "vit": (ViT(), "small vision transformer: patches of 4×4, width 64, 4 blocks, 4 heads"),
}


def architecture(text: str) -> Architecture:
    """The architecture of ``name`` or ``name:field=value,…``, e.g. ``convnet-3-128:width=64``; OptionError."""
    return pick(NETWORKS, text, "network")
