"""How is it done many times? Grids of runs that survive being killed, their store, and their export."""

from limbeck.study.estimate import Estimate, estimate
from limbeck.study.execute import StudyProgress, Summary, run
from limbeck.study.exported import export, import_export
from limbeck.study.reading import parse_study, read_study
from limbeck.study.results import Status, StudyResults, status
from limbeck.study.runs import DistilRun, EvaluateRun, PaceRun, ReferenceRun, Run, Source
from limbeck.study.study import Evaluation, Execution, MethodChoice, References, Study
from limbeck.study.work import Description, Outcome, Place, Work

__all__ = [
    "Description",
    "DistilRun",
    "Estimate",
    "EvaluateRun",
    "Evaluation",
    "Execution",
    "MethodChoice",
    "Outcome",
    "PaceRun",
    "Place",
    "ReferenceRun",
    "References",
    "Run",
    "Source",
    "Status",
    "Study",
    "StudyProgress",
    "StudyResults",
    "Summary",
    "Work",
    "estimate",
    "export",
    "import_export",
    "parse_study",
    "read_study",
    "run",
    "status",
]
