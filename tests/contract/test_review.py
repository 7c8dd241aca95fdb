"""What a contract must be before anything runs."""

import time

import pytest
from contracts import REFUND, RELEASE, SUPPORT
from inline_snapshot import snapshot

from remit.contract.case import METERED, Setting
from remit.contract.contract import Contract, Finding
from remit.contract.draft import parse_prose
from remit.contract.limits import Limits
from remit.contract.parse import parse, parse_organisation
from remit.contract.party import Organisation, Person, Tool
from remit.contract.review import ITEMS, Review, review
from remit.contract.rituals import suggested_rule

KEY = ("ssh-ed25519 AAAAC3Nza",)
LEAD = Organisation(
    people=(
        Person(id="release-lead@example.com", roles=("release",), keys=KEY),
        Person(id="deputy@example.com", keys=("ssh-ed25519 AAAAC3Nzb",)),
    )
)
SEED = """\
Goal: Prepare this repository for the v2.4.0 release.

Constraints:
- Only modify files in /docs and /CHANGELOG.md
- Do not push to any branch — local commits only
- Do not modify version numbers in package.json
- Do not create or delete branches

Success: CHANGELOG.md has a v2.4.0 section and all docs links resolve correctly.

Recovery: If a link is broken and cannot be fixed by editing docs/,
          add it to broken-links.md and continue.
"""


def reviewed(text: str, **about: object) -> Review:
    return review(parse(text, file="c"), **{"organisation": LEAD, **about})  # type: ignore[arg-type]


def codes(found: Review, *severities: str) -> list[str]:
    return [finding.code for finding in found.findings if not severities or finding.severity in severities]


def changed(old: str, new: str, text: str = RELEASE) -> Review:
    assert old in text
    return reviewed(text.replace(old, new))


def open_items(found: Review) -> list[str]:
    return [item.item for item in found.checklist if not item.ok]


def test_the_release_contract_passes_with_its_second_fences_and_its_wider_recovery_said() -> None:
    found = reviewed(RELEASE)
    assert found.ok
    assert [item.item for item in found.checklist] == list(ITEMS)
    assert all(item.ok for item in found.checklist)
    assert [(one.code, one.severity, one.where, one.message) for one in found.findings] == snapshot(
        [
            ("REDUNDANT", "note", "never[0]", "`write package.json` is outside of everything allowed already"),
            ("REDUNDANT", "note", "never[1]", "`push any` is outside of everything allowed already"),
            ("REDUNDANT", "note", "never[2]", "`branch any` is outside of everything allowed already"),
            ("RECOVERY-WIDENS", "note", "recovery[0]", "recovery may write `broken-links.md`, which lies outside the rules"),
        ]
    )


def test_the_refund_contract_passes_with_the_organisation_it_was_written_for() -> None:
    organisation = parse_organisation(SUPPORT, file="org.remit.yaml").organisation
    found = review(parse(REFUND, file="c"), organisation=organisation)
    assert found.ok
    assert codes(found) == ["SUM-CURRENCY"]  # the `ask` pins no currency: a warning, since a person sees it


def test_an_underspecified_sentence_lacks_exactly_three_parts_each_with_its_consequence() -> None:
    found = review(parse_prose("Update the docs for the release.", file="--text"))
    assert not found.ok
    assert found.missing == ("constraints", "success", "recovery")
    assert [one.message for one in found.findings if one.code.startswith("MISSING-")] == snapshot(
        [
            "no constraints: scope exceeded and irreversible changes made, because the intent is read broadly",
            "no success: the agent runs forever or stops at an arbitrary point",
            "no recovery: the agent stalls on a blocker with no fallback",
        ]
    )
    assert [one.code for one in found.findings if not one.code.startswith("MISSING-")] == ["OWNER-MISSING", "LIMIT-MISSING"]
    assert open_items(found) == list(ITEMS[1:])


def test_the_contract_in_prose_has_all_four_parts_and_still_cannot_run() -> None:
    found = review(parse_prose(SEED, file="seed.txt"))
    assert found.missing == ()
    assert not found.ok
    assert [(one.code, one.message, one.hint) for one in found.findings] == snapshot(
        [
            (
                "NOT-TESTABLE",
                "no machine can check `CHANGELOG.md has a v2.4.0 section and all docs links resolve correctly.`",
                "write a check: `run:` a program, or `file:` with `matches:`",
            ),
            (
                "NOT-A-RUNG",
                "nothing can follow `If a link is broken and cannot be fixed by editing docs/, add it to broken-links.md and continue.`",
                "write rungs: `- when: CHECK fails`, `do: continue`, `listed in: FILE`",
            ),
            (
                "RECOVERY-OUTSIDE",
                "recovery names `broken-links.md`, which lies outside the constraints",
                "grant it to the recovery alone, or put the file inside",
            ),
            ("OWNER-MISSING", "no owner: nobody answers for the outcome", "write `owner:` with one person"),
            ("LIMIT-MISSING", "no limits: nothing ends a run that never gets done", "write `limits: {turns: 40, time: 30m}`"),
            (
                "UNENFORCED",
                "no rule enforces `Only modify files in /docs and /CHANGELOG.md`",
                "write `may: - write: [docs/**, CHANGELOG.md]`, and take the line out",
            ),
            (
                "UNENFORCED",
                "no rule enforces `Do not push to any branch — local commits only`",
                "write `never: - push: any`, and take the line out",
            ),
            (
                "UNENFORCED",
                "no rule enforces `Do not modify version numbers in package.json`",
                "write `never: - write: package.json`, and take the line out",
            ),
            (
                "UNENFORCED",
                "no rule enforces `Do not create or delete branches`",
                "write `never: - branch: any`, and take the line out",
            ),
        ]
    )


@pytest.mark.parametrize("part", ["goal", "success", "recovery"])
def test_a_missing_part_is_named_and_blocks(part: str) -> None:
    lines, kept, inside = RELEASE.splitlines(), [], False
    for text in lines:
        inside = text.startswith(f"{part}:") or (inside and text.startswith(" "))
        kept += [] if inside else [text]
    found = reviewed("\n".join(kept))
    assert part in found.missing
    assert not found.ok


@pytest.mark.parametrize(
    ("goal", "steps"),
    [
        ("prepare the repo for release", False),
        ("Prepare this repository for the v2.4.0 release", False),
        ("Run these five commands", True),
        ("run the following commands: a, b", True),
        ("1. Edit the docs 2. Commit them 3. Done", True),
        ("First edit the docs, then commit, then finally, push", True),
        ("npm version minor", True),
        ("Every open refund request is answered", False),
    ],
)
def test_a_goal_is_an_outcome_and_not_a_list_of_steps(goal: str, steps: bool) -> None:
    found = changed("Prepare this repository for the v2.4.0 release", f"'{goal}'")
    assert ("GOAL-IS-STEPS" in codes(found)) is steps
    assert found.ok is not steps


OWNERS = {
    "nobody": ("owner: release-lead@example.com\n", "", "OWNER-MISSING"),
    "blank": ("owner: release-lead@example.com", "owner:", "OWNER-MISSING"),
    "two": ("owner: release-lead@example.com", "owner: [release-lead@example.com, deputy@example.com]", "OWNER-MANY"),
    "two in one line": (
        "owner: release-lead@example.com",
        "owner: release-lead@example.com and deputy@example.com",
        "OWNER-MANY",
    ),
    "a stranger": ("owner: release-lead@example.com", "owner: release-laed@example.com", "OWNER-UNKNOWN"),
    "an agent": ("owner: release-lead@example.com", "owner: release-bot@example.com", "OWNER-IS-AGENT"),
}


@pytest.mark.parametrize("name", OWNERS)
def test_exactly_one_known_person_answers_for_an_outcome(name: str) -> None:
    old, new, code = OWNERS[name]
    found = changed(old, new)
    assert codes(found, "error") == [code]
    assert not found.ok


def test_the_local_identity_may_own_without_an_organisation() -> None:
    assert codes(reviewed(RELEASE, organisation=None, identity="release-lead@example.com"), "error", "warning") == []
    assert codes(reviewed(RELEASE, organisation=None, identity="deputy@example.com"), "error") == ["OWNER-UNKNOWN"]
    assert codes(reviewed(RELEASE, organisation=None), "warning") == ["OWNER-UNPROVED"]


MISTAKES = {
    "recovery outside": ("    may: [{write: broken-links.md}]\n", "", "RECOVERY-OUTSIDE"),
    "recovery where never": ("[{write: broken-links.md}]", "[{write: package.json}]", "RECOVERY-FORBIDDEN"),
    "unknown check": ("when: links fails", "when: lniks fails", "UNKNOWN-CHECK"),
    "continue unlisted": ("    listed in: broken-links.md\n", "", "CONTINUE-UNLISTED"),
    "continue when stuck": ("when: links fails", "when: stuck", "CONTINUE-UNLISTED"),
    "hand over to nobody": ("do: undo", "do: hand over", "HAND-OVER-TO"),
    "hand over to a stranger": ("do: undo", "do: hand over\n    to: stranger@example.com", "WHO-UNKNOWN"),
    "no limits": ("limits: {turns: 40, time: 30m, usd: 2.00, tokens: 400k}\n", "", "LIMIT-MISSING"),
    "no time": ("time: 30m, ", "", "LIMIT-MISSING"),
    "no turns": ("turns: 40, ", "", "LIMIT-MISSING"),
    "prose": ("limits:", "unenforced: [be nice]\nlimits:", "UNENFORCED"),
    "a check that cannot fail": ("run: python tools/check_links.py docs", "run: 'true'", "NOT-TESTABLE"),
    "the judge may be rewritten": ("[docs/**, CHANGELOG.md]", "[docs/**, tools/*.py, CHANGELOG.md]", "TRUSTED-WRITABLE"),
    "trusted files may be rewritten": ("docs\nrecovery", "docs\n    trusted: [docs/conf.py]\nrecovery", "TRUSTED-WRITABLE"),
    "push without asking": ("  - commit: HEAD", "  - push: '*'", "UNGATED"),
    "anything run": ("  - commit: HEAD", "  - run: any", "UNGATED"),
    "allowed and never": ("  - write: package.json", "  - write: '**'", "DEAD-RULE"),
    "shell as reading": ("limits:", "tools: {bash: {tier: read-only}}\nlimits:", "SHELL-UNDER-READ-ONLY"),
    "payment as reading": ("limits:", "tools: {pay: {tier: read-only}}\nlimits:", "TIER-TOO-LOW"),
    "writing as reading": ("limits:", "tools: {label: {tier: read-only, effect: execute}}\nlimits:", "TIER-TOO-LOW"),
    "human-approved without asking": ("  - commit: HEAD", "  - call: label\ntools: {label: {tier: human-approved}}", "UNGATED"),
    "unknown register": ("  - commit: HEAD", "  - {call: label, where: {to: {not: {known: people}}}}", "UNKNOWN-REGISTER"),
    "sum of any currency": ("  - commit: HEAD", "  - {call: pay, where: {amount: {from: 1, to: 5}}}", "SUM-CURRENCY"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_meaning_blocks_and_points_at_its_line(name: str) -> None:
    old, new, code = MISTAKES[name]
    text = RELEASE.replace("limits: {", "limits: {sums: [{sum: pay.amount, to: 5}], ") if code == "SUM-CURRENCY" else RELEASE
    found = changed(old, new, text)
    assert code in codes(found, "error")
    assert not found.ok
    (mark, *_) = [one.mark for one in found.findings if one.code == code]
    assert mark is not None or code == "LIMIT-MISSING"


def test_a_shell_is_no_tool_for_reading_whoever_declares_it() -> None:
    bad = Organisation(people=LEAD.people, tools=(Tool(name="bash", tier="read-only"), Tool(name="pay", tier="read-only")))
    found = reviewed(RELEASE, organisation=bad)
    assert codes(found, "error") == ["SHELL-UNDER-READ-ONLY", "TIER-TOO-LOW"]
    assert not found.ok


DOUBTS = {
    "vague": ("the version is bumped", "be careful, the version is bumped", "VAGUE"),
    "no last rung": ("  - when: failed\n    do: undo\n", "", "NO-LAST-RUNG"),
    "unmetered": ("limits:", "runtime: make release\nlimits:", "LIMIT-UNMETERED"),
    "whole workspace": ("[docs/**, CHANGELOG.md]", '"**"', "WIDE"),
    "a judged file in the command": ("check_links.py docs", "check_links.py CHANGELOG.md", "JUDGED-AS-BEFORE"),
    "a named publication": ("  - commit: HEAD", "  - publish: notes", "UNGATED"),
    "a sum of nothing": ("turns: 40", "turns: 40, sums: [{sum: x.amount, to: 5}]", "SUM-UNUSED"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_a_doubt_is_said_and_does_not_block(name: str) -> None:
    old, new, code = DOUBTS[name]
    found = changed(old, new)
    assert code in codes(found, "warning")
    assert (name == "whole workspace") is not found.ok  # there the judge could be rewritten as well


def test_what_the_runtime_cannot_enforce_is_never_silently_accepted() -> None:
    found = reviewed(RELEASE, setting=Setting(enforces=frozenset({"read", "write", "push", "branch"}), meters=METERED - {"usd"}))
    assert codes(found, "error", "warning") == ["NOT-ENFORCEABLE", "LIMIT-UNMETERED"]


def test_examples_that_fail_block_and_get_their_place() -> None:
    def failing(contract: Contract) -> tuple[Finding, ...]:
        return (Finding(code="EXAMPLE", severity="error", where="may[1]", message="no"),)

    found = reviewed(RELEASE, examples=failing)
    assert not found.ok
    assert str(found.findings[0].mark) == "c:5:5"


def test_a_text_that_cannot_be_read_says_only_that() -> None:
    found = reviewed("goal: [")
    assert codes(found) == ["OPEN-LIST"]
    assert open_items(found) == list(ITEMS)


def test_a_faulty_part_is_not_called_missing() -> None:
    found = changed("do: continue", "do: contniue")
    assert found.missing == ()
    assert "UNKNOWN-REMEDY" in codes(found)


HOSTILE = {
    "many rules": "may:\n" + "  - {write: 'a*b'}\n" * 2400 + "never:\n" + "  - {write: 'c*d'}\n" * 2400,
    "long patterns": "may:\n" + f"  - {{write: '{'*a' * 400}'}}\n" * 200 + "never:\n" + f"  - {{write: '{'*b' * 400}'}}\n" * 100,
    "many objects": "may:\n  - write: [" + "a, " * 9000 + "a]\nnever:\n  - write: [" + "b, " * 9000 + "b]\n",
    "many checks": "may:\n" + "  - {write: '*a*b*'}\n" * 2000 + "success:\n" + "  - {run: a/b.py c/d.py}\n" * 2000,
    "many rungs": "may:\n"
    + "  - {write: '*a*b*'}\n" * 1500
    + "recovery:\n"
    + "  - {when: stuck, do: continue, listed in: a}\n" * 1500,
    "many prose lines": "unenforced:\n" + "  - do not never only ask review before you draft\n" * 4000,
    "one long line": "unenforced: " + "do not only " * 20_000,
    "many sums": "ask:\n" + "  - call: a\n" * 2000 + "limits:\n  sums:\n" + "    - {sum: a.amount, to: 1}\n" * 2000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_contract_is_reviewed_in_bounded_time(name: str) -> None:
    begin = time.perf_counter()
    found = reviewed(HOSTILE[name])
    assert time.perf_counter() - begin < 3
    assert not found.ok


RITUALS = {
    "Ask me before you send anything": "`ask: - call: TOOL` with `who: owner` for each tool that sends",
    "wait for my approval": "`ask:` instead of `may:` for what needs approval, with `who: owner`",
    "Draft but don't finalize": "`publish: ask`, and `ask: - publish: any`",
    "use manual checkpoints": "`recovery: - when: stuck` with `do: ask owner`, and `publish: ask`",
    "Shadow review everything": "`publish: ask`",
    "Be nice": None,
    "Never delete anything in /data": "`never: - delete: data/**`",
}


@pytest.mark.parametrize("line", RITUALS)
def test_the_rituals_people_type_become_rules(line: str) -> None:
    assert suggested_rule(line) == RITUALS[line]


def test_an_empty_set_of_limits_still_needs_time_and_turns() -> None:
    assert Limits() == parse(RELEASE.replace("{turns: 40, time: 30m, usd: 2.00, tokens: 400k}", "{}"), file="c").draft.limits
    (finding,) = [
        one for one in changed("{turns: 40, time: 30m, usd: 2.00, tokens: 400k}", "{}").findings if one.code == "LIMIT-MISSING"
    ]
    assert finding.message == "no limit of time and no limit of turns or calls"
