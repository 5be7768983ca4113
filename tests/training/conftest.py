"""What the tests of the room ``training`` share."""

import pytest

from limbeck.compute import Compute


@pytest.fixture
def compute() -> Compute:
    return Compute(device="cpu", precision="float32", compilation="off")
