"""The one training loop."""

import pytest
import torch

from limbeck.compute import Compute
from limbeck.data.augment import DSA, CropFlip, CutMix, FeatureNoise, Mixup
from limbeck.data.augmentation import Augmentation
from limbeck.data.examples import Examples
from limbeck.data.nothing import Nothing
from limbeck.data.task import Pool
from limbeck.errors import FitError, OptionError
from limbeck.networks.convnet import ConvNet
from limbeck.networks.mlp import MLP
from limbeck.networks.network import Network
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration, Constant, Epochs, Step, Updates
from limbeck.training.feed import Feed
from limbeck.training.forms import Job, looped, stacked
from limbeck.training.layout import Layout
from limbeck.training.optimizer import SGD, AdamW
from limbeck.training.passes import Passes
from limbeck.training.train import train
from limbeck.values import replace

from .tiny_training import soften, tiny

PLAIN = Configuration("plain", ConvNet(depth=2, width=4), SGD(lr=0.05), Step(), Nothing(), Updates(6))


def network(configuration: Configuration = PLAIN, shape: tuple[int, ...] = (1, 8, 8), classes: int = 3) -> Network:
    return configuration.architecture.build(shape, classes)


class Rows(Pool):
    """A pool that remembers what was drawn from it."""

    def __init__(self, examples: Examples) -> None:
        self.inputs, self.labels = examples.inputs, examples.targets
        self.shape, self.drawn = tuple(examples.inputs.shape[1:]), list[list[int]]()

    def take(self, index: torch.Tensor) -> torch.Tensor:
        self.drawn.append(index.tolist())
        return self.inputs[index]

    def raw(self, index: torch.Tensor) -> torch.Tensor:
        return self.inputs[index]


def test_equals_a_loop_written_with_torch(compute: Compute) -> None:
    examples, net = tiny(), network()
    trained = train(net, PLAIN, examples, seeds=(3,), compute=compute)
    weights = {n: w.requires_grad_() for n, w in net.init(generator(3, "init")).items()}
    optimizer = torch.optim.SGD(weights.values(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    losses = []
    for update in range(6):
        optimizer.param_groups[0]["lr"] = 0.05 * (0.1 if update >= 3 else 1)
        loss = torch.nn.functional.cross_entropy(net(weights, examples.inputs).logits, examples.targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    for name, weight in trained.params[0].items():
        torch.testing.assert_close(weight, weights[name].detach(), rtol=1e-4, atol=1e-6)
    assert trained.losses[0] == pytest.approx(losses, rel=1e-5)
    assert trained.updates == 6 and trained.failures == ("",) and trained.seconds > 0


@pytest.mark.parametrize("augmentation", [Nothing(), DSA(), CropFlip(), Mixup(), CutMix()])
def test_a_network_depends_on_its_own_seed_only(augmentation: Augmentation, compute: Compute) -> None:
    configuration = replace(PLAIN, augmentation=augmentation, batch=8)
    together = train(network(), configuration, tiny(), seeds=(1, 2, 3), compute=compute)
    alone = train(network(), configuration, tiny(), seeds=(2,), compute=compute)
    for name, weight in alone.params[0].items():
        assert torch.equal(weight, together.params[1][name])
        assert not torch.equal(weight, together.params[0][name]) or "norm" in name
    assert alone.losses[0] == together.losses[1]


@pytest.mark.parametrize("augmentation", [Nothing(), DSA(), Mixup()])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_stacked_form_equals_the_loop(augmentation: Augmentation, soft: bool, norm: str, compute: Compute) -> None:
    # Adam only without norms: before a norm, gradients of biases are rounding noise, of which it takes the sign
    optimizer = AdamW() if norm == "none" else SGD(nesterov=True)
    configuration = replace(
        PLAIN,
        augmentation=augmentation,
        batch=8,
        optimizer=optimizer,
        architecture=ConvNet(depth=2, width=4, norm=norm),
    )
    examples = tiny(dtype=torch.float64)
    targets = soften(examples.targets, 3, torch.float64) if soft else examples.targets
    examples = Examples(examples.inputs, targets, torch.linspace(0.5, 2, 20).double())
    one, many = (_form(form, configuration, examples, compute) for form in (looped, stacked))
    for a, b in zip(one, many, strict=True):
        torch.testing.assert_close(a.flat, b.flat, rtol=1e-9, atol=1e-10)
        assert a.losses == pytest.approx(b.losses, rel=1e-6)
        assert len(a.snapshots) == len(b.snapshots) == 2


def _form(form, configuration, examples, compute):
    net, seeds = network(configuration), (1, 2)
    feed = Feed(examples, configuration.augmentation, batch=configuration.batch, device=torch.device("cpu"))
    params = [net.init(generator(seed, "init"), feed.dtype) for seed in seeds]
    layout = Layout(params[0])
    flats = [layout.join(each) for each in params]
    passes = Passes(net, layout, kind=configuration.loss, compute=compute)
    return form(Job(net, configuration, feed, layout, passes, 6, (3, 6)), seeds, flats)


def test_a_failing_network_stops_alone(compute: Compute) -> None:
    net = network()
    bad = {n: w * 1e30 for n, w in net.init(generator(0, "bad")).items()}
    starts = [net.init(generator(0, "init")), bad, net.init(generator(2, "init"))]
    together = train(net, PLAIN, tiny(), seeds=(0, 1, 2), compute=compute, start=starts, keep=(0.5,))
    assert together.failures[0] == together.failures[2] == ""
    assert together.failures[1].startswith("stopped at update 1 of 6")
    assert together.losses[1] == ()
    for kept in (together.params[1], together.snapshots[1][0]):
        assert all(torch.equal(kept[name], bad[name]) for name in bad)
    alone = train(net, PLAIN, tiny(), seeds=(2,), compute=compute)
    assert all(torch.equal(w, together.params[2][n]) for n, w in alone.params[0].items())


def test_divergence_is_noticed_in_both_forms(compute: Compute) -> None:
    configuration = replace(PLAIN, optimizer=SGD(lr=1e20, momentum=0.0), architecture=MLP(width=4), length=Updates(6))
    for form in (looped, stacked):
        for run in _form(form, configuration, tiny(), compute):
            assert run.failed is not None and 0 < run.failed < 6
            assert bool(torch.isfinite(run.flat).all()) and len(run.losses) == run.failed


def test_snapshots_are_the_weights_at_their_shares(compute: Compute) -> None:
    configuration = replace(PLAIN, schedule=Constant())
    long = train(network(), configuration, tiny(), seeds=(4,), compute=compute, keep=(1.0, 0.0, 0.5))
    half = train(network(), replace(configuration, length=Updates(3)), tiny(), seeds=(4,), compute=compute)
    first = network().init(generator(4, "init"))
    last, none, middle = long.snapshots[0]
    for name in first:
        assert torch.equal(last[name], long.params[0][name])
        assert torch.equal(none[name], first[name])
        assert torch.equal(middle[name], half.params[0][name])


@pytest.mark.parametrize("chunk", [1, 3, 7, 20])
def test_chunks_add_up(chunk: int, compute: Compute) -> None:
    examples = tiny(dtype=torch.float64)
    examples = Examples(examples.inputs, soften(examples.targets, 3, torch.float64), torch.linspace(0, 2, 20).double())
    whole = train(network(), PLAIN, examples, seeds=(0,), compute=replace(compute, chunk=20))
    parts = train(network(), PLAIN, examples, seeds=(0,), compute=replace(compute, chunk=chunk))
    for name, weight in whole.params[0].items():
        assert weight.dtype == torch.float64
        torch.testing.assert_close(weight, parts.params[0][name], rtol=1e-9, atol=1e-11)


def test_batch_norm_is_never_chunked(compute: Compute) -> None:
    configuration = replace(PLAIN, architecture=ConvNet(depth=2, width=4, norm="batch"))
    whole = train(network(configuration), configuration, tiny(), seeds=(0,), compute=compute)
    parts = train(network(configuration), configuration, tiny(), seeds=(0,), compute=replace(compute, chunk=4))
    assert all(torch.equal(w, parts.params[0][n]) for n, w in whole.params[0].items())


def test_integer_weights_are_repetitions(compute: Compute) -> None:
    examples = tiny(6, dtype=torch.float64)
    counts = torch.tensor([1, 2, 3, 1, 1, 2])
    weighted = Examples(examples.inputs, examples.targets, counts.double())
    repeated = examples.take(torch.arange(6).repeat_interleave(counts))
    one, other = (train(network(), PLAIN, e, seeds=(0,), compute=compute).params[0] for e in (weighted, repeated))
    for name, weight in one.items():
        torch.testing.assert_close(weight, other[name], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("loss", ["cross_entropy", "squared"])
def test_one_hot_targets_are_hard_labels(loss: str, compute: Compute) -> None:
    examples = tiny()
    soft = Examples(examples.inputs, examples.probabilities(3))
    configuration = replace(PLAIN, loss=loss)
    one, other = (train(network(), configuration, e, seeds=(0,), compute=compute) for e in (examples, soft))
    for name, weight in one.params[0].items():
        torch.testing.assert_close(weight, other.params[0][name], rtol=1e-4, atol=1e-6)


def test_batches_are_epochs_of_permutations_drawn_from_the_pool(compute: Compute, monkeypatch) -> None:
    monkeypatch.setattr("limbeck.training.feed._FITS", 0)
    pool = Rows(tiny(10))
    configuration = replace(PLAIN, batch=4, length=Epochs(2))
    trained = train(network(), configuration, pool, seeds=(0,), compute=compute)
    assert trained.updates == 6 and [len(rows) for rows in pool.drawn] == [4, 3, 3, 4, 3, 3]
    first, second = ([row for rows in epoch for row in rows] for epoch in (pool.drawn[:3], pool.drawn[3:]))
    assert sorted(first) == sorted(second) == list(range(10)) and first != second
    in_memory = train(network(), configuration, tiny(10), seeds=(0,), compute=compute)
    assert all(torch.equal(w, in_memory.params[0][n]) for n, w in trained.params[0].items())


def test_tables_and_noise(compute: Compute) -> None:
    configuration = replace(PLAIN, architecture=MLP(width=8), augmentation=FeatureNoise(0.1), length=Updates(60))
    trained = train(network(configuration, (5,)), configuration, tiny(shape=(5,)), seeds=(0, 1), compute=compute)
    assert all(curve[-1] < 0.7 * curve[0] for curve in trained.losses)


def test_bfloat16_passes_keep_float32_weights_and_learn(compute: Compute) -> None:
    configuration = replace(PLAIN, length=Updates(20), schedule=Constant())
    low = train(network(), configuration, tiny(), seeds=(0,), compute=replace(compute, precision="bfloat16"))
    full = train(network(), configuration, tiny(), seeds=(0,), compute=compute)
    assert all(w.dtype == torch.float32 for w in low.params[0].values())
    assert low.losses[0][-1] == pytest.approx(full.losses[0][-1], abs=0.05)
    assert low.losses != full.losses


def test_long_curves_have_a_hundred_points(compute: Compute) -> None:
    configuration = replace(PLAIN, architecture=MLP(width=2), length=Updates(250))
    trained = train(network(configuration), configuration, tiny(4), seeds=(0,), compute=compute)
    assert len(trained.losses[0]) == 84  # 250 updates in means of three


def test_zero_updates_leave_the_initial_weights(compute: Compute) -> None:
    trained = train(network(), replace(PLAIN, length=Updates(0)), tiny(), seeds=(0,), compute=compute, keep=(1.0,))
    first = network().init(generator(0, "init"))
    assert all(torch.equal(first[n], w) for n, w in trained.params[0].items()) and trained.losses == ((),)


def test_global_generator_is_untouched(compute: Compute) -> None:
    before = torch.get_rng_state()
    train(network(), replace(PLAIN, augmentation=DSA(), batch=8), tiny(), seeds=(0,), compute=compute)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"seeds": ()}, OptionError, "no seed"),
        ({"keep": (1.5,)}, OptionError, "shares of the updates"),
        ({"start": []}, FitError, "0 starting weights"),
        ({"examples": tiny(shape=(1, 9, 9))}, FitError, "inputs of shape"),
        ({"examples": Examples(torch.zeros(2, 1, 8, 8), torch.tensor([0, 3]))}, FitError, "labels lie outside"),
        ({"examples": Examples(torch.zeros(2, 1, 8, 8), torch.ones(2, 4))}, FitError, "4 classes"),
        ({"examples": Examples(torch.zeros(0, 1, 8, 8), torch.zeros(0).long())}, OptionError, "no examples"),
        (
            {"examples": Examples(torch.zeros(2, 1, 8, 8), torch.tensor([0, 1]), torch.tensor([-1.0, 2.0]))},
            OptionError,
            "weights",
        ),
    ],
)
def test_misfits_are_sentences(change: dict, error: type[Exception], text: str, compute: Compute) -> None:
    given = {"examples": tiny(), "seeds": (0,), "keep": (), "start": None} | change
    examples = given.pop("examples")
    with pytest.raises(error, match=text):
        train(network(), PLAIN, examples, compute=compute, **given)


def test_layout_round_trip() -> None:
    params = network().init(generator(0))
    layout = Layout(params)
    assert all(torch.equal(params[n], w) for n, w in layout.split(layout.join(params)).items())
