"""The file itself: complete, escaped, silent on the network, and drawn by a real browser without an error."""

import html.parser
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from limbeck.data.task import Task
from limbeck.errors import DirectoryError
from limbeck.evaluation.records import Records
from limbeck.report import Code, Fact, Section, Story, Table, page, report_study, write_page
from limbeck.synthetic.synthetic_set import SyntheticSet

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'"
VOID = {"meta", "link", "img", "br"}


class Outline(html.parser.HTMLParser):
    """Checks that tags are balanced, and lists them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def hostile(
    make_task: Callable[..., Task], make_set: Callable[..., SyntheticSet], make_rows: Callable[..., Records]
) -> Story:
    """A page of which every name that a user can choose is an attack."""
    task = make_task((3, 8, 8), (EVIL, "../..", "two"))
    records = make_rows("dm " + EVIL, 2.0, [[0.8], [0.9]], configuration=EVIL)
    records += make_rows("random", 2.0, [[0.7], [0.75]], configuration=EVIL)
    records += make_rows("random", 2.0, [[0.7], [0.75]], configuration="second")
    sets = [make_set(task, "dm " + EVIL, task=EVIL, notes=(EVIL,), versions={EVIL: EVIL}, budget={EVIL: EVIL})]
    return report_study(records, sets, task=task, command=EVIL, title=EVIL)


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    assert not parser.open
    return parser


def test_hostile_names_stay_text(hostile: Story) -> None:
    text = page(hostile)
    found = outline(text)
    assert [tag for tag, _ in found.tags].count("script") == 3  # data, Plotly, ours
    assert not [attributes for _, attributes in found.tags if any(key.startswith("on") for key in attributes)]
    for _, attributes in found.tags:
        assert (attributes.get("src") or "data:").startswith("data:")
        assert (attributes.get("href") or "#").startswith(("#", "data:"))
    assert EVIL not in text
    data = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert list(json.loads(data[1])) == ["f0", "f1", "f2"]


def test_the_policy_lets_nothing_in(hostile: Story) -> None:
    policy = next(a["content"] for tag, a in outline(page(hostile)).tags if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


def test_one_copy_of_plotly_and_none_where_nothing_is_drawn(hostile: Story) -> None:
    assert len(page(hostile)) < 7_000_000
    plain = page(Story("t", "f", (), (Fact("1", "one"),), (Section("s", ("p",), (Code("c", "x < y"),)),)))
    assert len(plain) < 20_000
    assert "x &lt; y" in plain
    assert "script-src 'none'" in plain


def test_every_picture_and_figure_has_words(hostile: Story) -> None:
    tags = outline(page(hostile)).tags
    pictures = [a for tag, a in tags if tag == "img"]
    plots = [a for _, a in tags if a.get("class") == "plot"]
    assert pictures
    assert plots
    assert all(a["alt"] for a in pictures)
    assert all(a["role"] == "img" and len(a["aria-label"] or "") > 20 for a in plots)


def test_pages_are_the_same_bytes_every_time(hostile: Story) -> None:
    assert page(hostile) == page(hostile)


def test_numbers_are_right_aligned_and_long_text_may_break() -> None:
    table = Table("c", ("n", "t"), (("1.5", "x" * 60), ("−2", "short")))
    text = page(Story("t", "f", (), (), (Section("s", (), (table,)),)))
    assert '<td class="number">−2</td><td>short</td>' in text
    assert '<td class="long">xxx' in text


def test_writing_is_whole_or_not_at_all(tmp_path: Path) -> None:
    story = Story("t", "first", (), (), ())
    target = write_page(tmp_path / "deep" / "report.html", story)
    assert "first" in target.read_text(encoding="utf-8")
    write_page(target, Story("t", "second", (), (), ()))
    assert "second" in target.read_text(encoding="utf-8")
    assert [p.name for p in target.parent.iterdir()] == ["report.html"]
    with pytest.raises(DirectoryError, match="cannot be written"):
        write_page(target / "below-a-file.html", story)
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(DirectoryError, match="choose another"):
        write_page(tmp_path / "folder.html", story)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "folder.html"]


# Both widths side by side; each page says afterwards how wide it became and what was drawn in it.
WATCH = """
const frames = [...document.querySelectorAll("iframe")];
window.addEventListener("load", () => setTimeout(() => {
  const seen = frames.map((frame) => { const page = frame.contentDocument; return {
    given: frame.clientWidth, width: page.documentElement.scrollWidth, title: page.title,
    plots: page.querySelectorAll(".js-plotly-plot").length,
    drawn: page.querySelectorAll("svg.main-svg .xy, svg.main-svg .plot").length,
    broken: [...page.images].filter((image) => !image.naturalWidth).length,
    intruders: page.querySelectorAll("img[src=x], [onerror]").length }; });
  document.getElementById("seen").textContent = JSON.stringify(seen);
}, 1500));
"""


def test_chromium_draws_it_without_errors(hostile: Story, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium is installed: the page is checked without a browser only")
    inner = html.escape(page(hostile), quote=True)
    frames = "".join(
        f'<iframe srcdoc="{inner}" width="{w}" height="900" style="border:0"></iframe>' for w in (390, 1280)
    )
    (tmp_path / "both.html").write_text(
        f'<meta charset="utf-8"><pre id="seen"></pre>{frames}<script>{WATCH}</script>', encoding="utf-8"
    )
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    flags += "--disable-component-update --disable-sync --enable-logging=stderr --v=0 --virtual-time-budget=20000"
    command = [
        browser,
        *flags.split(),
        f"--user-data-dir={tmp_path / 'profile'}",
        "--window-size=1800,1000",
        "--dump-dom",
    ]
    done = subprocess.run(
        [*command, (tmp_path / "both.html").as_uri()], capture_output=True, text=True, timeout=120, check=False
    )
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None
    phone, laptop = json.loads(html.unescape(found[1]))
    for seen in (phone, laptop):
        assert seen["width"] <= seen["given"], "the page scrolls sideways"
        assert seen["plots"] == 3
        assert seen["drawn"] >= 3
        assert seen["broken"] == seen["intruders"] == 0
        assert seen["title"] == EVIL
