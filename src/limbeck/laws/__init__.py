"""What follows from tables of trained networks: how the gap falls with size, and how many samples are needed."""

from limbeck.laws.evidence import Ground, ground
from limbeck.laws.formfit import FormFit
from limbeck.laws.law import Interval, Law
from limbeck.laws.plan import Plan, Target
from limbeck.laws.pooled import PooledLaw
from limbeck.laws.rate import Rate
from limbeck.laws.saturation import Saturation
from limbeck.laws.scaling import ScalingLaw
from limbeck.laws.switch import Switch, TheorySwitch, measured_switch, theory_switch
from limbeck.laws.table import GapTable, gap_table
from limbeck.laws.trust import Trust

__all__ = [
    "FormFit",
    "GapTable",
    "Ground",
    "Interval",
    "Law",
    "Plan",
    "PooledLaw",
    "Rate",
    "Saturation",
    "ScalingLaw",
    "Switch",
    "Target",
    "TheorySwitch",
    "Trust",
    "gap_table",
    "ground",
    "measured_switch",
    "theory_switch",
]
