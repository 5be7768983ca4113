import pytest
import torch
from torch.nn import functional as F

from limbeck.data.dsa import DSA
from limbeck.errors import FitError, OptionError
from limbeck.matching import (
    AlongReal,
    AlongSynthetic,
    Batch,
    Calibration,
    Context,
    Fresh,
    Location,
    NetworkPool,
    Place,
    Sum,
    TrainedNetworks,
)
from limbeck.networks.convnet import ConvNet
from limbeck.networks.mlp import MLP
from limbeck.training.optimizer import SGD
from limbeck.values import decode, encode
from tests.matching.small_matching import CPU, surroundings

NET = ConvNet(depth=2, width=4)
MLP_NET = MLP(width=4)
STATES = [
    Fresh((NET, MLP_NET)),
    AlongSynthetic((NET, MLP_NET), steps=3, inner=2, batch=4),
    AlongReal((NET, MLP_NET), steps=3, updates=2, batch=8),
    NetworkPool((NET, MLP_NET), count=2, updates=2, limit=2, batch=8),
    TrainedNetworks((NET, MLP_NET), count=2, updates=2, batch=8),
    TrainedNetworks((NET,), count=2, updates=2, batch=8, blend=True),
]


def same(a: Location, b: Location) -> bool:
    def equal(p, q):
        return p.keys() == q.keys() and all(torch.equal(p[k], q[k]) for k in p)

    return (
        a.architecture == b.architecture
        and equal(a.params, b.params)
        and equal(a.memory, b.memory)
        and a.counters == b.counters
    )


def shuffled(location: Location) -> Location:
    """As a checkpoint gives it back: the same tensors in another order."""
    back = {k: location.params[k] for k in reversed(location.params)}
    memory = {k: location.memory[k] for k in sorted(location.memory, reverse=True)}
    return Location(location.architecture, back, memory, location.counters)


@pytest.mark.parametrize("state", STATES, ids=lambda s: type(s).__name__)
def test_the_same_surroundings_lead_to_the_same_bytes(state):
    here = state.start(surroundings(0))
    assert same(here, state.start(surroundings(0)))
    assert not same(here, state.start(surroundings(1)))
    for seed in range(1, 7):
        there = state.move(here, surroundings(seed, DSA()))
        again = state.move(shuffled(here), surroundings(seed, DSA()))
        assert same(there, again)
        here = there
        outputs = here.network(surroundings(0))(here.params, surroundings(0).synthetic.inputs)
        assert torch.isfinite(outputs.logits).all()
    assert decode(encode(state)) == state


def test_fresh_draws_every_architecture():
    kinds = {Fresh((NET, MLP_NET)).start(surroundings(seed)).architecture for seed in range(12)}
    assert kinds == {NET, MLP_NET}


def test_along_synthetic_is_plain_gradient_descent_on_the_set():
    state = AlongSynthetic((NET,), steps=3, inner=4)  # six examples are one batch, so four epochs are four updates
    here = state.start(surroundings(0))
    there = state.move(here, surroundings(1))
    network, examples = here.network(surroundings(0)), surroundings(1).synthetic
    weights = {k: p.clone() for k, p in here.params.items()}
    for _ in range(4):
        leaves = {k: w.requires_grad_() for k, w in weights.items()}
        loss = F.cross_entropy(network(leaves, examples.inputs).logits, examples.targets)
        grads = torch.autograd.grad(loss, list(leaves.values()))
        weights = {k: (w - 0.01 * g).detach() for (k, w), g in zip(leaves.items(), grads, strict=True)}
    assert all(torch.allclose(there.params[k], weights[k], atol=1e-6) for k in weights)
    assert there.counters == {"step": 1}


def test_along_synthetic_takes_a_new_network_after_its_steps():
    state = AlongSynthetic((NET,), steps=2, inner=1)
    first = state.start(surroundings(0))
    second = state.move(first, surroundings(1))
    third = state.move(second, surroundings(2))
    assert [x.counters["step"] for x in (first, second, third)] == [0, 1, 0]
    near = {k: float((second.params[k] - first.params[k]).norm()) for k in first.params}
    far = {k: float((third.params[k] - second.params[k]).norm()) for k in first.params}
    kernel = next(k for k in first.params if first.params[k].ndim == 4)
    assert far[kernel] > 10 * near[kernel] > 0


def test_along_real_keeps_its_momentum():
    state = AlongReal((NET,), steps=3, updates=1, batch=8)
    first = state.move(state.start(surroundings(0)), surroundings(1))
    assert set(first.memory) == {"momentum"}
    forgetful = Location(first.architecture, first.params, {}, first.counters)
    with_momentum, without = (state.move(x, surroundings(2)) for x in (first, forgetful))
    assert any(not torch.equal(with_momentum.params[k], without.params[k]) for k in first.params)


def test_training_on_real_data_lowers_the_loss():
    world = surroundings(0)
    state = TrainedNetworks((NET,), count=1, updates=60, batch=8)
    place = state.start(world)
    examples = world.real.draw_any(30, torch.Generator().manual_seed(0))
    logits = place.network(world)(place.params, examples.inputs).logits
    assert float((logits.argmax(1) == examples.targets).float().mean()) > 0.8


def test_a_pool_grows_older_and_renews_its_members():
    state = NetworkPool((NET,), count=2, updates=1, limit=2, batch=8)
    place = state.start(surroundings(0))
    ages = []
    for seed in range(1, 12):
        member = place.counters["member"]
        place = state.move(place, surroundings(seed))
        ages.append(place.counters[f"age {member}"])
    assert set(ages) == {0, 1}
    assert {name.split("/")[0] for name in place.memory} <= {"weights 0", "weights 1", "moments 0", "moments 1"}


def test_a_network_that_diverged_is_not_looked_at():
    wild = SGD(lr=1e30)
    with pytest.raises(FitError, match=r"lower state\.optimizer\.lr"):
        TrainedNetworks((MLP_NET,), count=1, updates=5, batch=8, optimizer=wild).start(surroundings(0))
    pool = NetworkPool((MLP_NET,), count=2, updates=5, limit=10, batch=8, optimizer=wild)
    here = pool.start(surroundings(0))
    for step in range(4):
        here = pool.move(here, surroundings(step + 1))
        assert all(weight.isfinite().all() for weight in here.params.values())
        assert here.counters["age 0"] == here.counters["age 1"] == 0


def test_calibration_looks_at_the_trained_network_and_matching_at_the_blend():
    state = TrainedNetworks((NET,), count=2, updates=5, batch=8, blend=True)
    around = surroundings(0)
    place = state.move(state.start(around), around)
    trained = state.trained(place)
    assert trained is not None and any(not torch.equal(trained[k], place.params[k]) for k in trained)
    network = NET.build(around.shape, around.classes)
    batch = Batch(around.synthetic.inputs, around.synthetic.targets, *sized(around.synthetic.targets))
    loss = Sum((Calibration(),)).read(None, batch, Place(network, place.params, CPU, trained), Context()).loss
    logits = network(trained, batch.inputs).logits
    losses = torch.nn.functional.cross_entropy(logits, batch.labels, reduction="none")
    each = torch.stack([losses[batch.labels == c].mean() for c in batch.classes])
    assert torch.allclose(loss, each.mean())
    plain = TrainedNetworks((NET,), count=2, updates=5, batch=8)
    assert plain.trained(plain.start(around)) is None


def sized(labels):
    """Classes and sizes of a batch whose examples stand class by class."""
    counts = torch.bincount(labels).tolist()
    return tuple(range(len(counts))), tuple(counts)


def test_a_blend_lies_between_its_ends():
    place = TrainedNetworks((NET,), count=1, updates=5, batch=8, blend=True).start(surroundings(0))
    for name, weight in place.params.items():
        ends = torch.stack([place.memory[f"initial 0/{name}"], place.memory[f"trained 0/{name}"]])
        assert (weight >= ends.min(0).values - 1e-6).all()
        assert (weight <= ends.max(0).values + 1e-6).all()


def test_drawing_any_examples():
    real = surroundings(0).real
    whole = real.draw_any(30, torch.Generator().manual_seed(0))
    assert sorted(whole.targets.tolist()) == [0] * 10 + [1] * 10 + [2] * 10
    assert len(torch.unique(whole.inputs.flatten(1), dim=0)) == 30
    assert len(real.draw_any(70, torch.Generator().manual_seed(0))) == 70


@pytest.mark.parametrize("build", [Fresh, AlongSynthetic, AlongReal, NetworkPool, TrainedNetworks])
def test_no_architecture_is_a_sentence(build):
    with pytest.raises(OptionError, match="architecture"):
        build(())


def test_counts_below_one_are_sentences():
    with pytest.raises(OptionError, match="steps"):
        AlongSynthetic((NET,), steps=0)
    with pytest.raises(OptionError, match="count"):
        NetworkPool((NET,), count=0)
