"""What learns? Architectures, and the pure functions of weights and inputs that they build."""

from limbeck.networks.alexnet import AlexNet
from limbeck.networks.convnet import ConvNet
from limbeck.networks.layers import BatchNorm
from limbeck.networks.lenet import LeNet
from limbeck.networks.mlp import MLP
from limbeck.networks.names import NETWORKS, architecture
from limbeck.networks.network import Architecture, Network, Outputs, Statistics
from limbeck.networks.resnet import ResNet18
from limbeck.networks.vgg import VGG11
from limbeck.networks.vit import ViT

__all__ = [
    "MLP",
    "NETWORKS",
    "VGG11",
    "AlexNet",
    "Architecture",
    "BatchNorm",
    "ConvNet",
    "LeNet",
    "Network",
    "Outputs",
    "ResNet18",
    "Statistics",
    "ViT",
    "architecture",
]
