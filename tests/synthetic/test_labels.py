"""Label rules: known answers, gradients, misfits."""

import pytest
import torch

from limbeck.errors import FitError, OptionError
from limbeck.synthetic import LABELS, HardLabels, LearnedLabels, TeacherLabels, TriedLabels, label_rule
from limbeck.values import decode, encode

HARD = torch.tensor([2, 0])
LOGITS = torch.tensor([[0.0, 1.0, 3.0], [2.0, 0.0, -1.0]])


def test_hard_labels_store_nothing() -> None:
    assert HardLabels().start(HARD, 3) == {}
    assert HardLabels().targets({}) is None


def test_a_teacher_is_softened_by_its_temperature() -> None:
    rule = TeacherLabels(temperature=2.0)
    targets = rule.targets(rule.start(HARD, 3, LOGITS))
    assert targets is not None
    expected = (LOGITS / 2).exp() / (LOGITS / 2).exp().sum(1, keepdim=True)
    torch.testing.assert_close(targets, expected)


def test_learned_labels_start_at_the_teacher_or_near_the_class() -> None:
    told = LearnedLabels()
    torch.testing.assert_close(told.targets(told.start(HARD, 3, LOGITS)), LOGITS.softmax(1))
    alone = LearnedLabels(teacher=False, confidence=0.8)
    torch.testing.assert_close(alone.targets(alone.start(HARD, 3)), torch.tensor([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]))


def test_learned_labels_can_be_learned() -> None:
    rule = LearnedLabels(teacher=False)
    variables = {name: v.requires_grad_() for name, v in rule.start(HARD, 3).items()}
    targets = rule.targets(variables)
    assert targets is not None
    targets[:, 1].sum().backward()
    (logits,) = variables.values()
    assert logits.grad is not None
    assert (logits.grad[:, 1] > 0).all()


def test_tried_labels_begin_as_a_teachers() -> None:
    rule, alone = TriedLabels(TeacherLabels(temperature=2.0)), TeacherLabels(temperature=2.0)
    assert rule.needs_teacher and not rule.learned
    torch.testing.assert_close(rule.targets(rule.start(HARD, 3, LOGITS)), alone.targets(alone.start(HARD, 3, LOGITS)))
    assert label_rule("tried:networks=5") == TriedLabels(networks=5)
    with pytest.raises(OptionError, match="at least 1"):
        TriedLabels(networks=0)


def test_what_does_not_fit_is_a_sentence() -> None:
    with pytest.raises(FitError, match="none was trained"):
        TeacherLabels().start(HARD, 3)
    with pytest.raises(FitError, match=r"\(2, 4\) are needed"):
        LearnedLabels().start(HARD, 4, LOGITS)
    for bad in ({"temperature": 0.0},):
        with pytest.raises(OptionError):
            TeacherLabels(**bad)
    for field, number in (("lr", 0.0), ("momentum", 1.0), ("confidence", 1.0)):
        with pytest.raises(OptionError):
            LearnedLabels(**{field: number})


def test_names_and_writing() -> None:
    assert label_rule("learned:lr=2.0") == LearnedLabels(lr=2.0)
    for rule, _ in LABELS.values():
        assert decode(encode(rule)) == rule
