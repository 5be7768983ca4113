"""Whom a set is made for: nets that cover a space, draws in turn and by the worst gap, remembered between networks."""

from dataclasses import replace as with_fields
from itertools import combinations

import pytest
import torch

from limbeck.data.augment import DSA
from limbeck.data.mix import Mixup
from limbeck.data.nothing import Nothing
from limbeck.errors import FitError, OptionError
from limbeck.matching import AlongReal, AlongSynthetic, Everyone, Fresh, Net, NetworkPool, TrainedNetworks, WorstGap
from limbeck.matching.audience import PROBE_SEEDS, PROBES
from limbeck.matching.names import AUDIENCES, audience
from limbeck.matching.state import Surroundings, seed_from
from limbeck.networks.convnet import ConvNet
from limbeck.networks.mlp import MLP
from limbeck.seeds import generator
from limbeck.training.configuration import Configuration, Constant, Updates
from limbeck.training.distance import distance_matrix
from limbeck.training.optimizer import SGD, Adam
from limbeck.training.space import Space
from limbeck.values import decode, encode, replace
from tests.matching.small_matching import TensorPool, surroundings
from tests.matching.test_states import same, shuffled

OPTIMIZERS = {"sgd": (SGD(lr=0.1), Constant()), "slow": (SGD(lr=0.001), Constant()), "adam": (Adam(), Constant())}
SPACE = Space.product(
    "small",
    architectures={"conv": ConvNet(depth=2, width=4), "mlp": MLP(width=4)},
    optimizers=OPTIMIZERS,
    augmentations={"none": Nothing(), "dsa": DSA("color_crop")},
    length=Updates(5),
    batch=16,
)
ALONE = Space("alone", SPACE.configurations[:1])


def world(seed: int = 0, iteration: int = 0, iterations: int = 10) -> Surroundings:
    """The small world with the last ten real examples as validation."""
    made = surroundings(seed)
    whole = made.real.pool.examples()
    validation = TensorPool(whole.inputs[20:], whole.targets[20:])
    return with_fields(made, validation=validation, iteration=iteration, iterations=iterations)


@pytest.mark.parametrize("centres", [1, 3, 6])
def test_a_net_covers_the_space_within_twice_the_least_radius(centres: int) -> None:
    notes = Net(SPACE, centres=centres).begin(world())
    rows, radius = notes["centres"].tolist(), float(notes["radius"])
    assert len(rows) == centres
    examples = world().real.draw_any(PROBES, generator(seed_from(world()), "net"))
    distances = distance_matrix(SPACE, examples, classes=3, seeds=PROBE_SEEDS, compute=world().compute)
    assert float(distances[:, rows].min(1).values.max()) == pytest.approx(radius)
    least = min(
        float(distances[:, list(pick)].min(1).values.max()) for pick in combinations(range(len(SPACE)), centres)
    )
    assert least <= radius <= 2 * least + 1e-12


def test_a_net_as_large_as_the_space_is_the_space() -> None:
    assert Net(SPACE, centres=99).begin(world())["centres"].tolist() == list(range(len(SPACE)))


def test_centres_are_drawn_in_turn() -> None:
    whom = Net(SPACE, centres=3)
    notes = whom.begin(world())
    rows, drawn = notes["centres"].tolist(), []
    for seed in range(7):
        index, notes = whom.draw(notes, world(seed))
        drawn.append(index)
    assert drawn == (rows * 3)[:7]
    random = replace(whom, in_turn=False)
    assert {random.draw(notes, world(seed))[0] for seed in range(30)} == set(rows)


def test_everyone_is_drawn() -> None:
    assert {Everyone(SPACE).draw({}, world(seed))[0] for seed in range(90)} == set(range(len(SPACE)))


def test_the_worst_gap_is_measured_at_stated_places_and_drawn() -> None:
    whom = WorstGap(SPACE, centres=3, refreshes=2, updates=4, share=1.0, examples=10)
    notes = whom.begin(world())
    stages = []
    for iteration in range(10):
        index, notes = whom.draw(notes, world(iteration, iteration))
        stages.append(int(notes["stage"]))
        assert index == notes["centres"].tolist()[int(notes["gaps"].argmax())]
    assert stages == [0] * 5 + [1] * 5
    told = whom.told(notes)
    assert "the radius of the net is 0." in told
    assert told.count("points") == 3
    anyone = replace(whom, share=0.0)
    assert {anyone.draw(notes, world(seed, 9))[0] for seed in range(30)} == set(notes["centres"].tolist())


def test_gaps_are_those_of_networks_trained_on_both_sides() -> None:
    whom = WorstGap(SPACE, centres=2, updates=30, examples=10)
    begun = world()
    notes = whom.begin(begun)
    assert float(notes["real"].max()) > 0.8  # the stripes are easy
    everything = replace(whom, refreshes=1).draw(notes, with_fields(begun, synthetic=begun.real.pool.examples()))[1]
    noise = with_fields(begun.synthetic, inputs=torch.randn(6, 1, 8, 8, generator=generator(0)))
    nothing = whom.draw(notes, with_fields(begun, synthetic=noise))[1]
    assert float(everything["gaps"].max()) < float(nothing["gaps"].max())


def test_without_validation_the_worst_gap_is_a_sentence() -> None:
    with pytest.raises(FitError, match="no validation examples"):
        WorstGap(SPACE, centres=2, updates=1).begin(surroundings())


@pytest.mark.parametrize("name", AUDIENCES)
def test_a_space_of_one_is_served_with_a_sentence(name: str) -> None:
    whom = audience(name, ALONE)
    assert "holds one configuration" in whom.sentence
    notes = whom.begin(surroundings())  # no validation: nothing has to be measured
    for seed in range(3):
        index, notes = whom.draw(notes, surroundings(seed))
        assert index == 0


STATES = [
    Fresh((MLP(),), audience=Everyone(SPACE)),
    AlongSynthetic((MLP(),), steps=2, inner=1, audience=Net(SPACE, centres=3)),
    AlongReal((MLP(),), steps=2, updates=1, batch=8, audience=WorstGap(SPACE, centres=2, updates=2)),
    NetworkPool((MLP(),), count=2, updates=1, limit=2, batch=8, audience=Net(SPACE, centres=3)),
    TrainedNetworks((MLP(),), count=3, updates=1, batch=8, audience=Net(SPACE, centres=3)),
]


@pytest.mark.parametrize("state", STATES, ids=lambda s: type(s).__name__)
def test_states_draw_configurations_and_lead_to_the_same_bytes(state) -> None:
    here = state.start(world())
    seen = set()
    for step in range(1, 9):
        there = state.move(here, world(step, step))
        assert same(there, state.move(shuffled(here), world(step, step)))
        here = there
        configuration = state.configuration(here)
        assert configuration is not None
        assert configuration.architecture == here.architecture
        seen.add(configuration)
        outputs = here.network(world())(here.params, world().synthetic.inputs)
        assert torch.isfinite(outputs.logits).all()
    assert len(seen) > 1
    assert decode(encode(state)) == state


@pytest.mark.parametrize("whom", [Everyone(SPACE), Net(SPACE, centres=4, in_turn=False)], ids=["all", "net"])
def test_no_configuration_is_trained_twice_before_all_were_trained_once(whom) -> None:
    many = whom.most
    for seed in range(4):
        here = TrainedNetworks((MLP(),), count=2 * many - 1, updates=1, batch=8, audience=whom).start(world(seed))
        kinds = [here.counters[f"kind {member}"] for member in range(2 * many - 1)]
        assert len(set(kinds[:many])) == many
        assert len(set(kinds[many:])) == many - 1


def test_fewer_networks_than_configurations_are_said() -> None:
    def said(count, whom):
        return TrainedNetworks((MLP(),), count=count, audience=whom).whom

    assert said(12, Everyone(SPACE)) == "Made for the 12 configurations of 'small', uniformly."
    assert said(2, Everyone(SPACE)).startswith("Made for 2 of the 12 configurations of 'small', one for each network")
    assert said(2, Net(SPACE, centres=3)).startswith("Made for 2 of 3 configurations that cover the 12 of 'small', one")
    assert "holds one configuration" in said(1, Everyone(ALONE))
    assert Fresh((MLP(),)).whom == ""


def test_the_running_network_learns_by_the_drawn_optimizer() -> None:
    fast, slow = (
        AlongSynthetic(
            (MLP(width=4),),
            steps=3,
            audience=Everyone(Space("one", (Configuration("c", MLP(width=4), SGD(lr=lr), augmentation=Nothing()),))),
        )
        for lr in (0.1, 0.001)
    )
    start = fast.start(world())
    moves = [
        float(torch.cat([(s.move(start, world(1)).params[k] - start.params[k]).flatten() for k in start.params]).norm())
        for s in (fast, slow)
    ]
    assert moves[0] == pytest.approx(100 * moves[1], rel=0.01)


def test_wrong_audiences_are_sentences() -> None:
    with pytest.raises(FitError, match="cannot follow gaps"):
        TrainedNetworks((MLP(),), audience=WorstGap(SPACE))
    with pytest.raises(FitError, match="mixes labels"):
        Everyone(Space("mixed", (Configuration("m", MLP(), augmentation=Mixup()),)))
    with pytest.raises(OptionError, match="centres"):
        Net(SPACE, centres=0)
    with pytest.raises(OptionError, match="refreshes"):
        WorstGap(SPACE, refreshes=0)
    with pytest.raises(OptionError, match=r"in \[0, 1\]"):
        WorstGap(SPACE, share=2.0)
    with pytest.raises(OptionError, match="worst"):
        audience("wort", SPACE)
