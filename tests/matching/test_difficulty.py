import math

import pytest
import torch
from torch.nn import functional as F

from limbeck.compute import Compute
from limbeck.data.examples import Examples
from limbeck.errors import EvidenceError
from limbeck.matching import batch_gradient_norm, el2n, forgetting, gradient_norms, gradn, misclassification
from limbeck.seeds import generator
from tests.matching.small_matching import CPU, small, some_batch


def world(soft=False):
    network, params = small()
    batch = some_batch((3, 2, 2), soft=soft)
    return network, params, Examples(batch.inputs, batch.targets if soft else batch.labels)


def gradient(network, params, examples):
    leaves = {k: p.clone().requires_grad_() for k, p in params.items()}
    loss = F.cross_entropy(network(leaves, examples.inputs).logits, examples.targets)
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(leaves.values()))])


@pytest.mark.parametrize("soft", [False, True])
def test_norms_of_example_gradients_one_by_one(soft):
    network, params, examples = world(soft)
    direct = torch.stack([gradient(network, params, examples.take(torch.tensor([i]))).norm() for i in range(7)])
    assert torch.allclose(gradient_norms(network, params, examples, Compute(device="cpu", chunk=3)), direct)
    other = small(seed=1)[1]
    both = gradn(network, [params, other], examples, CPU)
    assert torch.allclose(both, (direct + gradient_norms(network, other, examples, CPU)) / 2)


def test_the_batchs_norm_is_another_number():
    network, params, examples = world()
    norm = batch_gradient_norm(network, params, examples, Compute(device="cpu", chunk=2))
    assert torch.allclose(norm, gradient(network, params, examples).norm())
    assert norm < gradient_norms(network, params, examples, CPU).mean()


def test_scores_of_known_predictions():
    network, params, examples = world()
    flat = {k: torch.zeros_like(p) for k, p in params.items()}  # all logits 0: class 0 is predicted, p = 1/3
    assert misclassification(network, [flat], examples, CPU).tolist() == [0.0] * 3 + [1.0] * 4
    assert torch.allclose(el2n(network, [flat], examples, CPU), torch.full((7,), math.sqrt(6) / 3, dtype=torch.float64))
    bias = next(k for k, p in params.items() if p.shape == (3,))
    second = flat | {bias: torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)}
    assert misclassification(network, [flat, second], examples, CPU).tolist() == [0.5] * 5 + [1.0] * 2
    assert (
        forgetting(network, [flat, second, flat, second], examples, CPU).tolist() == [2.0] * 3 + [1.0] * 2 + [4.0] * 2
    )


def fitted_world():
    """A network with batch norm, its weights away from where they begin, its statistics, and examples of one class."""
    network, params = small("batch", activation="gelu")
    g = generator(5)
    params = {k: p + 0.3 * torch.randn(p.shape, generator=g, dtype=p.dtype) for k, p in params.items()}
    real, shown = some_batch((20, 20, 20), 1), some_batch((5,), 2)
    return network, params, network.statistics(params, real.inputs), Examples(shown.inputs, shown.labels + 1)


def test_batch_norm_takes_the_statistics_given():
    network, params, held, examples = fitted_world()
    logits = network(params, examples.inputs, held).logits
    gap = torch.linalg.vector_norm(logits.softmax(1) - F.one_hot(examples.labels, 3), dim=1)
    assert torch.allclose(el2n(network, [params], examples, CPU, [held]), gap)
    wrong = (logits.argmax(1) != examples.labels).double()
    assert torch.equal(misclassification(network, [params], examples, CPU, [held]), wrong)
    assert torch.equal(forgetting(network, [params], examples, CPU, [held]), wrong)
    assert not torch.allclose(el2n(network, [params], examples, CPU), gap)
    float32 = {k: s.float() for k, s in held.items()}  # as they are measured
    assert torch.allclose(el2n(network, [params], examples, CPU, [float32]), gap, atol=1e-5)


def test_norms_of_example_gradients_with_statistics_are_those_of_the_trained_network():
    network, params, held, examples = fitted_world()
    direct = []
    for i in range(len(examples)):
        leaves = {k: p.clone().requires_grad_() for k, p in params.items()}
        one = examples.take(torch.tensor([i]))
        loss = F.cross_entropy(network(leaves, one.inputs, held).logits, one.targets)
        direct.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(leaves.values()))]).norm())
    found = gradient_norms(network, params, examples, Compute(device="cpu", chunk=2), held)
    assert torch.allclose(found, torch.stack(direct))
    assert torch.allclose(gradn(network, [params], examples, CPU, [held]), found)
    assert not torch.allclose(gradient_norms(network, params, examples, CPU), found)


def test_no_network_is_a_sentence():
    network, _, examples = world()
    with pytest.raises(EvidenceError, match="network"):
        el2n(network, [], examples, CPU)
