"""How is it told? Figures as data, their drawing, and the one-file page."""

from limbeck.report.charts import accuracy_section, configurations_section
from limbeck.report.figures import (
    Axis,
    Chart,
    Code,
    Fact,
    Gallery,
    HeatMap,
    Level,
    Line,
    Part,
    Pictures,
    Section,
    Story,
    Table,
)
from limbeck.report.page import page, write_page
from limbeck.report.report import losses_section, recipe_section, report_sets, report_study
from limbeck.report.results import Judged, Results, judge
from limbeck.report.told import finding, table_section, verdict_section, verdicts

__all__ = [
    "Axis",
    "Chart",
    "Code",
    "Fact",
    "Gallery",
    "HeatMap",
    "Judged",
    "Level",
    "Line",
    "Part",
    "Pictures",
    "Results",
    "Section",
    "Story",
    "Table",
    "accuracy_section",
    "configurations_section",
    "finding",
    "judge",
    "losses_section",
    "page",
    "recipe_section",
    "report_sets",
    "report_study",
    "table_section",
    "verdict_section",
    "verdicts",
    "write_page",
]
