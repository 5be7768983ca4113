"""From sets and records to a page: the order in which things are told."""

from collections.abc import Mapping, Sequence
from typing import Any

from limbeck.data.task import Task
from limbeck.distillation.variant import in_words, own_changes
from limbeck.evaluation.records import Records
from limbeck.report.charts import accuracy_section, configurations_section
from limbeck.report.figures import Axis, Chart, Code, Fact, Line, Part, Section, Story, Table
from limbeck.report.numbers import quantity
from limbeck.report.pictures import gallery, rows
from limbeck.report.results import is_baseline, judge
from limbeck.report.told import facts, finding, table_section, verdict_section, verdicts
from limbeck.synthetic.synthetic_set import SyntheticSet
from limbeck.values import encode

__all__ = ["losses_section", "recipe_section", "report_sets", "report_study"]

_GALLERIES = 6  # sets that are pictured at most
_CAVEATS = (
    "No privacy guarantee: synthetic images can give away what they were made from, and images initialised from real "
    "examples may show them. Pictures of real training data stand on this page wherever the data were at hand.",
    "The numbers hold for this task, split, budget and these configurations; a difference whose interval holds zero is "
    "no evidence of one. Intervals speak of repeating the distillation, not of other data sets.",
)


def report_sets(
    sets: Sequence[SyntheticSet], records: Records | None = None, *, task: Task | None = None, command: str = ""
) -> Story:
    """The page of one or several sets (``limbeck report DIR…``).

    sets: at least one. records: their evaluation, with baselines where there are any; None tells only what was made.
    task: where given, real examples stand beside synthetic ones. command: reproduces the page.
    """
    names = ", ".join(dict.fromkeys(made.card.method for made in sets))
    task_name = sets[0].card.task
    title = f"{task_name}, distilled by {names}"
    if records is None or not len(records):
        made = sets[0]
        return Story(
            title=title,
            finding=f"{_stored(made)} made by {in_words(made.card)} stand for {task_name}; they have not been judged "
            "yet.",
            details=("limbeck evaluate trains networks on them and says how good they are.",),
            facts=_set_facts(sets, task),
            sections=_made(sets, task, command),
        )
    return report_study(records, sets, task=task, command=command, title=title)


def report_study(
    records: Records,
    sets: Sequence[SyntheticSet] = (),
    *,
    task: Task | None = None,
    command: str = "",
    title: str = "",
    first: Sequence[Section] = (),
) -> Story:
    """The page of a study: what was found, then accuracy, pictures, configurations, losses, recipes and the command.

    first: sections to put before all others (e.g. a law with its plan). Raises EvidenceError without records.
    """
    results = judge(records)
    name = sets[0].card.task if sets else (task.name if task is not None else "a task")
    compared, configurations = verdict_section(results), configurations_section(results)
    sections = [
        *first,
        accuracy_section(results),
        *([compared] if compared is not None else []),
        *_pictures(sets, task),
        *([configurations] if configurations is not None else []),
        table_section(results),
        *_made(sets, task, command, pictures=False),
    ]
    changes = _changes(sets)
    details = (*verdicts(results), *_changed(changes))
    return Story(title or f"A study of {name}", finding(results, changes), details, facts(results), tuple(sections))


def losses_section(sets: Sequence[SyntheticSet]) -> Section | None:
    """Loss against iteration, one chart a method, because losses of different methods cannot be compared."""
    curves: dict[str, list[SyntheticSet]] = {}
    for made in sets:
        if made.card.losses:
            curves.setdefault(made.card.method, []).append(made)
    if not curves:
        return None
    text = (
        "The matching loss while distilling, on the scale of each method; it says whether a run has settled, not how "
        "good its set is.",
    )
    return Section("Loss curves", text, tuple(_loss_chart(method, group) for method, group in curves.items()))


def recipe_section(sets: Sequence[SyntheticSet]) -> Section:
    """How the sets were made, and how networks are trained on them."""
    budgets = list(dict.fromkeys(key for made in sets for key in made.card.budget))
    header = ("method", "a class", "stored", "numbers stored", "seed", *budgets, "versions")
    table = Table(
        "Sets, with what was spent on them",
        header,
        tuple(_spent(made, budgets) for made in sets),
        folded=len(sets) > 12,
    )
    first = {made.card.method: made for made in reversed(sets)}
    parts: list[Part] = [table]
    for method in sorted(first):
        card = first[method].card
        parts.append(Table(f"{method}: hyper-parameters", ("part", "value"), _fields(card.distiller), folded=True))
        recipe = _fields(encode(card.recipe))
        step = first[method].step_size
        recipe += (("learned step size", f"{step:.6g}, in place of the optimizer's rate"),) if step is not None else ()
        parts.append(Table(f"{method}: its own training recipe", ("part", "value"), recipe, folded=True))
    card = sets[0].card
    text = (f"Made from {card.task} (content {card.fingerprint[:16]}, split seed {card.split_seed}).", *card.notes)
    return Section("Recipe", text, tuple(parts))


def _changes(sets: Sequence[SyntheticSet]) -> dict[str, tuple[str, ...]]:
    """What is other than in the method of this name, of those where something is."""
    return {made.card.method: parts for made in sets if (parts := own_changes(made.card))}


def _changed(changes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """A sentence for each method that was not run as the one of its name: numbers of it are not those of the method."""
    return tuple(f"{method} stands here for the method with {', '.join(parts)}." for method, parts in changes.items())


def _made(
    sets: Sequence[SyntheticSet], task: Task | None, command: str, *, pictures: bool = True
) -> tuple[Section, ...]:
    """The sections that need no records."""
    losses = losses_section(sets)
    sections = _pictures(sets, task) if pictures else []
    sections += [losses] if losses is not None else []
    sections += [recipe_section(sets)] if sets else []
    if command:
        sections.append(Section("Reproduce", (), (Code("This command makes everything on this page again:", command),)))
    return (*sections, Section("Read with care", _CAVEATS))


def _pictures(sets: Sequence[SyntheticSet], task: Task | None) -> list[Section]:
    """One gallery a method and size, of the smallest seed; real choices only where nothing was distilled."""
    chosen = [made for made in sets if not is_baseline(made.card.method)] or list(sets)
    first: dict[tuple[str, tuple[int, ...]], SyntheticSet] = {}
    for made in sorted(chosen, key=lambda m: (m.card.method, sum(m.card.per_class), m.card.seed)):
        first.setdefault((made.card.method, made.card.per_class), made)
    shown = _spread(list(first.values()))
    if not shown:
        return []
    parts: list[Part] = []
    largest = {
        made.card.method: max(sum(m.card.per_class) for m in shown if m.card.method == made.card.method)
        for made in shown
    }
    for made in shown:
        folded = sum(made.card.per_class) < largest[made.card.method]
        title = f"{made.card.method}, {_per_class(made)} a class, seed {made.card.seed}"
        parts.append(gallery(made, task, title, folded=folded) if len(made.card.shape) == 3 else rows(made, title))
    more = f" {len(first) - len(shown)} further sets are not pictured." if len(shown) < len(first) else ""
    text = f"The synthetic examples as stored, in raw values.{more}"
    return [Section("What was made", (text,), tuple(parts))]


def _spread(sets: list[SyntheticSet]) -> list[SyntheticSet]:
    """At most six, of every method in turn the largest first."""
    queues: dict[str, list[SyntheticSet]] = {}
    for made in reversed(sets):
        queues.setdefault(made.card.method, []).append(made)
    taken = [made for place in range(len(sets)) for queue in queues.values() for made in queue[place : place + 1]]
    kept = taken[:_GALLERIES]
    return sorted(kept, key=lambda made: (made.card.method, -sum(made.card.per_class)))


def _loss_chart(method: str, group: Sequence[SyntheticSet]) -> Chart:
    lines = tuple(
        Line(
            name=f"{_per_class(made)} a class",
            x=tuple(float(step) for step, _ in made.card.losses),
            y=tuple(loss for _, loss in made.card.losses),
            notes=(f"seed {made.card.seed}",) * len(made.card.losses),
        )
        for made in sorted(group, key=lambda made: (sum(made.card.per_class), made.card.seed))
    )
    values = [y for line in lines for y in line.y]
    steep = min(values) > 0 and max(values) > 20 * min(values)
    y = Axis(f"matching loss of {method}" + (" (logarithmic)" if steep else ""), "log" if steep else "linear")
    ends = "; ".join(f"{line.name}: from {quantity(line.y[0])} to {quantity(line.y[-1])}" for line in lines[:8])
    alt = f"Loss of {method} against iteration. {ends}."
    return Chart(f"Loss of {method}", Axis("iteration"), y, lines, alt=alt)


def _set_facts(sets: Sequence[SyntheticSet], task: Task | None) -> tuple[Fact, ...]:
    made = sets[0]
    found = [
        Fact(f"{len(made):,}", "stored examples", f"{_per_class(made)} a class"),
        Fact(f"{made.stored_values:,}", "numbers stored", "inputs and soft labels"),
    ]
    if task is not None:
        whole = sum(task.counts)
        found.append(Fact(f"{whole / len(made):.0f} ×", "fewer than real", f"{whole:,} training examples"))
    return tuple(found)


def _spent(made: SyntheticSet, budgets: Sequence[str]) -> tuple[str, ...]:
    card = made.card
    versions = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    spent = (_plain(card.budget.get(key)) for key in budgets)
    sizes = (_per_class(made), quantity(len(made)), quantity(made.stored_values))
    return (card.method, *sizes, str(card.seed), *spent, versions)


def _fields(encoded: Any) -> tuple[tuple[str, str], ...]:
    return tuple((key.replace("_", " "), _plain(item)) for key, item in encoded.items() if key != "kind")


def _plain(item: Any) -> str:
    """An encoded value as a person writes it: ``SGD(lr=0.01, momentum=0.9)``."""
    if isinstance(item, Mapping) and item.get("kind") == "Space":
        return f"{item['name']} ({len(item['configurations'])} configurations)"
    if isinstance(item, Mapping):
        inner = ", ".join(f"{key}={_plain(value)}" for key, value in item.items() if key != "kind")
        return f"{item['kind']}({inner})" if "kind" in item else inner
    if isinstance(item, list | tuple):
        return ", ".join(_plain(each) for each in item) or "–"
    if isinstance(item, bool) or item is None:
        return {True: "yes", False: "no", None: "–"}[item]
    return f"{item:g}" if isinstance(item, float) else f"{item:,}" if isinstance(item, int) else str(item)


def _per_class(made: SyntheticSet) -> str:
    low, high = min(made.card.per_class), max(made.card.per_class)
    return f"{low}" if low == high else f"{low} to {high}"


def _stored(made: SyntheticSet) -> str:
    return f"{len(made):,} synthetic examples ({_per_class(made)} a class)"
