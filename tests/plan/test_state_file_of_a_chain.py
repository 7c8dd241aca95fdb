"""The state of a chain is a YAML text of names, states and summaries, in the form of the source."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from remit.plan.reported import Report
from remit.plan.state_file import state_yaml
from remit.plan.step import Pinned, Plan, Step

NAMES = ("implementing-api-patterns", "using-vector-databases", "ai-data-engineering")
PLAN = Plan(name="rag", goal="g", steps=tuple(Step(id=name, skill=Pinned(name=name, invocation=name)) for name in NAMES))
STANDING = {NAMES[0]: "complete", NAMES[1]: "in_progress"}
SEED = """\
execution:
- skill: implementing-api-patterns
status: complete
outputs: {files: [...], decisions: [...]}
- skill: using-vector-databases
status: in_progress
outputs: null
- skill: ai-data-engineering
status: pending
outputs: null"""
REPORT = Report(
    skill=NAMES[0], found=True, files=("src/api/main.py", "src/api/models.py"), decisions=("framework: one that streams", "async")
)


def test_mid_run_it_is_the_block_of_the_source() -> None:
    said = state_yaml(PLAN, STANDING, {NAMES[0]: REPORT})
    outputs = '{files: [src/api/main.py, src/api/models.py], decisions: ["framework: one that streams", async]}'
    assert [row.strip() for row in said.splitlines()] == SEED.replace("{files: [...], decisions: [...]}", outputs).splitlines()


def test_a_yaml_reader_finds_the_same_values() -> None:
    read = yaml.safe_load(state_yaml(PLAN, STANDING, {NAMES[0]: REPORT, NAMES[1]: REPORT}))
    assert read == {
        "execution": [
            {
                "skill": NAMES[0],
                "status": "complete",
                "outputs": {"files": list(REPORT.files), "decisions": list(REPORT.decisions)},
            },
            {"skill": NAMES[1], "status": "in_progress", "outputs": None},
            {"skill": NAMES[2], "status": "pending", "outputs": None},
        ]
    }


def test_a_failed_and_a_skipped_step_have_no_outputs() -> None:
    read = yaml.safe_load(state_yaml(PLAN, {NAMES[0]: "failed", NAMES[1]: "skipped"}, {NAMES[0]: REPORT}))
    assert [(each["status"], each["outputs"]) for each in read["execution"]] == [
        ("failed", None),
        ("skipped", None),
        ("pending", None),
    ]


def test_a_plan_without_steps_is_an_empty_list() -> None:
    assert yaml.safe_load(state_yaml(Plan(name="p", goal="g", steps=()), {}, {})) == {"execution": []}


def test_however_much_a_step_claims_its_state_stays_small() -> None:
    much = Report(files=("f" * 1000,) * 10_000, decisions=("d" * 1000,) * 10_000)
    assert len(state_yaml(PLAN, {NAMES[0]: "complete"}, {NAMES[0]: much})) < 110_000


@given(
    st.lists(st.text(max_size=40), max_size=4),
    st.lists(
        st.sampled_from(["null", "yes", "1", "1.0", "a: b", "[x]", "- a", "#", "~", "2026-01-01", "0x1f", "=", "<<", "a,b"]),
        max_size=4,
    ),
)
def test_any_text_comes_back_as_text(files: list[str], decisions: list[str]) -> None:
    report = Report(files=tuple(files), decisions=tuple(decisions))
    outputs = yaml.safe_load(state_yaml(PLAN, {NAMES[0]: "complete"}, {NAMES[0]: report}))["execution"][0]["outputs"]
    assert outputs["decisions"] == decisions
    assert len(outputs["files"]) == len(files)
    assert all(isinstance(each, str) and each.isprintable() for each in outputs["files"])
