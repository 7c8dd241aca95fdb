"""What is delivered is computed from the files, and every way of leaving something out is seen."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trees import Held

from remit.contract.deliverable import Content, Deliverable
from remit.plan.reported import Issue
from remit.plan.validating.judging import Quality, files_of, judge
from remit.plan.validating.tree import READ, Entry

NAMES = [f"part {number}" for number in range(18)]
EIGHTEEN = tuple(Deliverable(name=name, by=f"skill-{at}", files=(f"src/{at}.py",)) for at, name in enumerate(NAMES))


def full() -> dict[str, str | bytes | Entry]:
    return {f"src/{at}.py": f"value = {at}\n" for at in range(18)}


def one(files: dict[str, str | bytes | Entry], *places: str, **more: object) -> tuple[str, tuple[str, ...]]:
    found = judge(Held(files), (Deliverable(name="it", by="maker", files=places, **more),))  # type: ignore[arg-type]
    return found.deliverables[0].status, found.deliverables[0].details


def test_all_that_is_there_and_filled_passes() -> None:
    found = judge(Held(full()), EIGHTEEN)
    assert (found.status, found.verified, found.expected, found.completeness, found.issues, found.missing) == (
        "PASS",
        18,
        18,
        100,
        (),
        (),
    )


@pytest.mark.parametrize(
    ("left", "status", "said"),
    [
        (None, "missing", "is not there"),
        ("", "partial", "is empty"),
        (" \n\t", "partial", "is empty"),
        (b"\xef\xbb\xbf\n", "partial", "is empty"),
        (b"\0" * 9000, "partial", "is empty"),
        ("# TODO: write it\n", "partial", "holds the placeholder `TODO`"),
        ("x = 1\n# FIXME\n", "partial", "holds the placeholder `FIXME`"),
        ("PLACEHOLDER", "partial", "holds the placeholder `PLACEHOLDER`"),
        ('key = "<your-key>"', "partial", "holds the placeholder `<your-`"),
        (Entry(type="link"), "partial", "is a link, and links are not followed"),
        (Entry(type="other"), "partial", "is no regular file"),
        (Entry(type="file", size=3), "partial", "cannot be read"),
    ],
)
def test_a_file_deleted_emptied_or_left_as_a_placeholder_is_one_less_and_never_a_pass(
    left: str | bytes | Entry | None, status: str, said: str
) -> None:
    files = full()
    if left is None:
        del files["src/7.py"]
    else:
        files["src/7.py"] = left
    found = judge(Held(files), EIGHTEEN)
    assert (found.verified, found.expected, found.completeness, found.status) == (17, 18, 94, "PARTIAL")
    assert found.missing == ("part 7",)
    assert (found.deliverables[7].status, found.deliverables[7].by) == (status, "skill-7")
    assert [(issue.path, issue.what, issue.by, issue.severe) for issue in found.issues] == [("src/7.py", said, "skill-7", True)]


@given(st.sets(st.integers(0, 17)), st.integers(1, 100))
def test_completeness_is_counted_and_never_more_than_what_is_there(gone: set[int], at_least: int) -> None:
    found = judge(Held({f"src/{at}.py": "x" for at in range(18) if at not in gone}), EIGHTEEN, at_least=at_least)
    assert found.completeness == 100 * (18 - len(gone)) // 18
    assert (found.verified, len(found.missing)) == (18 - len(gone), len(gone))
    assert (found.status == "PASS") == (not gone)
    assert (found.status == "FAIL") == (found.completeness < min(70, at_least))


def test_a_pattern_that_is_not_found_may_pass_above_the_threshold_and_partial_ends_at_seventy() -> None:
    def lacking(count: int) -> str:
        owed = [
            Deliverable(name=f"{at}", files=("a",), contains=(Content(pattern="no" if at < count else "x", place="a"),))
            for at in range(10)
        ]
        return judge(Held({"a": "x"}), owed).status

    assert [lacking(count) for count in range(5)] == ["PASS", "PASS", "PARTIAL", "PARTIAL", "FAIL"]


def test_what_is_skipped_is_left_out_and_shown() -> None:
    files = full()
    del files["src/7.py"]
    found = judge(Held(files), EIGHTEEN, skipped={"part 7": "not at this maturity"})
    assert (found.status, found.verified, found.expected, found.completeness) == ("PASS", 17, 17, 100)
    assert (found.deliverables[7].status, found.deliverables[7].details) == ("skipped", ("not at this maturity",))
    nothing = judge(Held({}), EIGHTEEN[:1], skipped={"part 0": ""})
    assert (nothing.completeness, nothing.warnings) == (100, ("nothing is required, so nothing was verified",))


def test_a_file_that_two_deliverables_name_counts_once() -> None:
    owed = (Deliverable(name="a", by="x", files=("f", "g")), Deliverable(name="b", by="y", files=("f",)))
    found = judge(Held({"g": "1"}), owed)
    assert (found.verified, found.expected, found.missing) == (1, 2, ("a", "b"))
    assert [(issue.path, issue.by) for issue in found.issues] == [("f", "x")]


def test_of_several_languages_one_is_enough() -> None:
    owed = Deliverable(name="migrations", either=(("alembic.ini", "drizzle.config.ts"),))
    assert judge(Held({"drizzle.config.ts": "x"}), (owed,)).status == "PASS"
    assert judge(Held({"drizzle.config.ts": "x", "alembic.ini": ""}), (owed,)).status == "PASS"
    half = judge(Held({"alembic.ini": ""}), (owed,))
    assert (half.deliverables[0].status, half.issues[0].what) == ("partial", "is empty")
    gone = judge(Held({}), (owed,))
    assert (gone.deliverables[0].status, gone.expected, gone.deliverables[0].details) == (
        "missing",
        1,
        ("neither `alembic.ini` or `drizzle.config.ts` is there",),
    )


def test_a_folder_must_hold_something_unless_it_may_be_empty() -> None:
    empty = Held({"a": "x"})
    empty.entries["src/auth"] = Entry(type="folder")
    owed = (Deliverable(name="auth", files=("src/auth/",)),)
    assert judge(empty, owed).deliverables[0].details == ("`src/auth/` is an empty folder",)
    assert judge(empty, owed, empty=("src/auth/",)).status == "PASS"
    assert judge(Held({}), owed, empty=("src/auth/",)).status == "PASS"  # nothing carries an empty folder
    assert one({"src/auth/.gitkeep": ""}, "src/auth/") == (
        "partial",
        ("`src/auth/` holds nothing but empty files and placeholders",),
    )
    assert one({"src/auth/a.py": "# TODO"}, "src/auth/")[0] == "partial"
    assert one({"src/auth/__init__.py": "", "src/auth/x/a.py": "x"}, "src/auth/")[0] == "complete"
    assert one({"src/auth/node_modules/a.js": "x"}, "src/auth/")[0] == "partial"
    assert one({"src/auth": "x"}, "src/auth/") == ("partial", ("`src/auth/` is a file, not a folder",))


def test_a_placeholder_beside_sound_files_of_a_folder_is_said_and_in_a_glob_it_counts() -> None:
    files: dict[str, str | bytes | Entry] = {"docs/a.md": "a", "docs/b.md": "TODO"}
    folder = judge(Held(files), (Deliverable(name="docs", files=("docs/",)),))
    assert (folder.status, [(issue.path, issue.severe) for issue in folder.issues]) == ("PASS", [("docs/b.md", False)])
    glob = judge(Held(files), (Deliverable(name="docs", files=("docs/*.md",)),))
    assert (glob.status, glob.deliverables[0].status) == ("FAIL", "partial")
    assert one({"p/__init__.py": "", "p/a.py": "x"}, "p/*.py")[0] == "complete"
    assert one({"p/__init__.py": ""}, "p/*.py")[0] == "partial"
    assert one({}, "p/*.py") == ("missing", ("`p/*.py` matches no file",))


def test_a_file_of_that_name_elsewhere_is_named_and_never_counted() -> None:
    said = one({"src/components/Card.tsx": "x"}, "components/Card.tsx")
    assert said == ("missing", ("`components/Card.tsx` is not there; a file of that name is at `src/components/Card.tsx`",))


def test_a_place_outside_is_never_looked_at() -> None:
    assert one({"a": "x"}, "../a") == ("missing", ("`../a` leads out of the workspace",))


def contains(data: str | bytes, pattern: str, place: str = "a.yaml") -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    found = judge(
        Held({"a.yaml": data, "src/deep/b.py": "def main(): ...\n"}),
        (Deliverable(name="it", contains=(Content(pattern=pattern, place=place),)),),
    )
    return found.deliverables[0].status, found.deliverables[0].how, found.warnings


def test_a_pattern_is_looked_for_line_by_line_then_across_lines_and_which_is_recorded() -> None:
    assert contains("a sidebar, a header, a main\n", "sidebar.*header.*main")[1] == (
        "`sidebar.*header.*main` in `a.yaml`: line mode, a.yaml",
    )
    text = "resources:\n  limits:\n"
    assert contains(text, r"resources:\s*(requests|limits):")[1] == (
        r"`resources:\s*(requests|limits):` in `a.yaml`: multi-line mode, a.yaml",
    )
    assert contains("x: 1\r\ny: 2\r\n", "^x: 1$")[0] == "complete"
    assert contains("x", "def main", "src/")[1] == ("`def main` in `src/`: line mode, src/deep/b.py",)
    assert contains("x", "def main", "src")[0] == "complete"
    assert contains("x", "def main", "**/*.py")[0] == "complete"
    assert contains("x", "def main", "lib/")[0] == "missing"


def test_doubled_backslashes_are_tried_as_single_ones_with_a_warning() -> None:
    doubled = r'"type":\\s*"graph"'
    status, how, warnings = contains('"type":  "graph"', doubled)
    assert (status, how) == ("complete", (rf"`{doubled}` in `a.yaml`: line mode, a.yaml",))
    assert warnings == (rf"`{doubled}` in `a.yaml` has doubled backslashes and matches only with single ones",)
    assert contains('"type":\\s"graph"', doubled)[2] == ()
    assert contains("nothing", doubled)[0] == "missing"


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "(", "(x{1000}){1000}", "a" * 100_000 + "("])
def test_a_pattern_that_cannot_run_in_linear_time_is_a_warning_and_never_found(pattern: str) -> None:
    status, _, warnings = contains("abab(", pattern)
    assert status == "missing"
    assert "cannot be used" in warnings[0]


def test_a_pattern_made_to_hang_does_not() -> None:
    began = time.monotonic()
    assert contains("a" * READ, "(a|aa)+$b|(a*)*c")[0] == "missing"
    assert time.monotonic() - began < 10


def test_what_a_tool_found_makes_the_deliverable_of_the_file_partial() -> None:
    bad = Issue(path="src/7.py", what="does not parse", tool="python3", line=3)
    odd = Issue(path="src/8.py", what="unused import", tool="ruff", severe=False)
    found = judge(
        Held(full()), EIGHTEEN, quality=Quality(issues=(odd, bad), warnings=("ruby is not installed",), tools=("python3",))
    )
    assert (found.status, found.completeness, found.verified, found.missing) == ("PARTIAL", 94, 18, ("part 7",))
    assert [(issue.path, issue.by) for issue in found.issues] == [("src/7.py", "skill-7"), ("src/8.py", "skill-8")]
    assert (found.warnings, found.tools) == (("ruby is not installed",), ("python3",))
    elsewhere = judge(
        Held(full()), EIGHTEEN, quality=Quality(issues=(Issue(path="x.py", what="does not parse", tool="python3"),))
    )
    assert (elsewhere.status, elsewhere.completeness) == ("PARTIAL", 100)


def test_the_files_that_tools_look_at_are_those_that_deliverables_name() -> None:
    owed = Deliverable(
        name="a", files=("src/", "x.py"), either=(("y.py", "z.py"),), contains=(Content(pattern="a", place="k8s/*.yaml"),)
    )
    tree = Held({"src/a.py": "", "x.py": "", "z.py": "", "k8s/a.yaml": "", "other.py": "", "src/node_modules/b.js": ""})
    assert files_of(tree, (owed,)) == ("k8s/a.yaml", "src/a.py", "x.py", "z.py")


def test_names_with_line_ends_and_without_text_are_escaped_wherever_they_are_told() -> None:
    odd, raw = "src/a\nSTATUS: PASS.py", "src/\udcff.py"
    found = judge(Held({odd: "TODO", raw: "TODO"}), (Deliverable(name="it", files=("src/*.py",)),))
    assert sorted(issue.path for issue in found.issues) == ["src/\\xff.py", "src/a\\nSTATUS: PASS.py"]
    assert all("\n" not in said for each in found.deliverables for said in each.details)


def test_names_are_found_in_whichever_form_their_accents_are_written() -> None:
    assert one({"docs/u\u0308ber.md": "x"}, "docs/\u00fcber.md")[0] == "complete"


def test_very_many_files_and_a_huge_one_are_looked_at_within_bounds() -> None:
    files: dict[str, str | bytes | Entry] = {f"d/{at % 300}/{at}.txt": "x" for at in range(25_000)}
    files["big.txt"] = b"a" * (READ + 1)
    tree = Held(files)
    began = time.monotonic()
    found = judge(
        tree, (Deliverable(name="a", files=("d/", "**/*.txt", "big.txt"), contains=(Content(pattern="zzz", place="d/"),)),)
    )
    assert time.monotonic() - began < 20
    assert "`d/`: 23000 of 25000 files were not looked at" in found.warnings
    assert "`big.txt` is large: only its first 4 MiB were looked at" in found.warnings
    assert any("too much to search" in warning for warning in found.warnings)


def test_what_is_told_is_bounded_and_what_is_left_out_of_it_is_counted() -> None:
    files: dict[str, str | bytes | Entry] = {f"d/{at}.md": "TODO" for at in range(1500)}
    found = judge(Held(files), (Deliverable(name="a", files=("d/*.md",)),))
    assert (len(found.issues), found.issues[-1].what, found.issues[-1].severe) == (201, "1300 more issues", True)
