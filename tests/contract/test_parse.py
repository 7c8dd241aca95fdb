"""What a contract file may look like, and what is said when it does not."""

import time

import pytest
from contracts import REFUND, RELEASE, SUPPORT
from inline_snapshot import snapshot

from remit.contract.condition import Equals, OneOf, Range, Scalar
from remit.contract.contract import Finding
from remit.contract.limits import Limits, Sum
from remit.contract.outcome import DataCheck, FileCheck, Recovery, RunCheck, TreeCheck
from remit.contract.parse import Parsed, parse, parse_bytes, parse_organisation
from remit.contract.rule import Rule


def said(parsed: Parsed) -> list[str]:
    return [line(finding) for finding in parsed.findings]


def line(finding: Finding) -> str:
    return f"{finding.mark}: {finding.code} {finding.where}: {finding.message}; {finding.hint}"


def only(text: str) -> str:
    """The one finding of a text."""
    (finding,) = parse(text, file="c").findings
    return line(finding)


def rules_of(text: str) -> tuple[Rule, ...]:
    parsed = parse(text, file="c")
    assert parsed.findings == ()
    return parsed.draft.rules


def test_the_release_contract_of_the_design_is_read_whole() -> None:
    contract = parse(RELEASE, file="release.remit.yaml").contract
    assert contract is not None
    assert [rule.id for rule in contract.rules] == [
        "may-read-1", "may-write-2", "may-commit-3", "never-write-1", "never-push-2", "never-branch-3",
    ]  # fmt: skip
    assert contract.limits == Limits(turns=40, time=1800, usd=2_000_000, tokens=400_000)
    assert contract.success == (
        FileCheck(id="changelog", file="CHANGELOG.md", matches=r"^## \[?v2\.4\.0"),
        RunCheck(id="links", argv=("python", "tools/check_links.py", "docs")),
    )
    may = (Rule(id="recovery-1-write-1", effect="may", verb="write", objects=("broken-links.md",)),)
    assert contract.recovery[0] == Recovery(when="links fails", may=may, do="continue", listed_in="broken-links.md")


def test_the_refund_contract_of_the_design_keeps_money_as_it_was_written() -> None:
    contract = parse(REFUND, file="refund.remit.yaml").contract
    assert contract is not None
    assert contract.rules[0].where[0].condition == Range(low="0.01", high="50")
    assert contract.rules[2].where[0].condition == Range(low="50", high="500", over=True)
    assert contract.limits.sums == (Sum(of="refund.amount", per="customer", within=3600, to="200", then="ask"),)


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "No", "YES"])
def test_words_that_older_yaml_takes_for_truths_are_texts(word: str) -> None:
    (rule,) = rules_of(f"may: [{{call: mail, where: {{flag: {word}}}}}]")
    assert rule.where[0].condition == Equals(value=Scalar(type="text", text=word))


def test_numbers_keep_their_source_text() -> None:
    (rule,) = rules_of("may: [{call: pay, where: {amount: [0.10, 5, '5', true, null]}}]")
    assert rule.where[0].condition == OneOf(
        values=(
            Scalar(type="number", text="0.10"),
            Scalar(type="number", text="5"),
            Scalar(type="text", text="5"),
            Scalar(type="truth", text="true"),
            Scalar(type="nothing", text="null"),
        )
    )


TRAPS = {
    "clock": "limits: {time: 1:30}",
    "star": "may:\n  - write: *.md",
    "reference": "may:\n  - write: *everything",
    "colon": "goal: release: the docs",
    "anchor": "goal: &x release",
    "tag": "goal: !!python/object:os.system x",
    "merge": "limits: {<<: {turns: 5}}",
    "twice": "goal: a\nowner: b\ngoal: c",
    "documents": "goal: a\n---\ngoal: b",
    "directive": "%YAML 1.1\n---\ngoal: a",
    "unknown key": "gaol: a",
    "unknown verb": "may: [{wirte: docs/**}]",
    "two verbs": "may: [{read: a, write: b}]",
    "no verb": "may: [{because: why}]",
    "prose rule": "may: [be careful]",
    "one bound": "may: [{call: pay, where: {amount: {to: 50}}}]",
    "no amount between": "may: [{call: pay, where: {amount: {over: 50, to: 50}}}]",
    "exponent": "may: [{call: pay, where: {amount: {from: 1, to: 1e9}}}]",
    "not a number": "may: [{call: pay, where: {amount: .nan}}]",
    "other base": "may: [{call: pay, where: {amount: 0x10}}]",
    "leading zero": "may: [{call: pay, where: {order_id: 007}}]",
    "unknown form": "may: [{call: pay, where: {to: {knwon: recipients}}}]",
    "regex": "may: [{call: pay, where: {to: {regex: '(?=x)y'}}}]",
    "dots": "may: [{write: docs/../src}]",
    "backslash": "may: [{write: 'docs\\src'}]",
    "any path": "never: [{write: any}]",
    "host without port": "may: [{fetch: api.example.com}]",
    "who asks a never": "never: [{push: any, who: owner}]",
    "shell in a rule": "may: [{run: 'git log | sh'}]",
    "shell in a check": "success: [{run: make && true}]",
    "words as a list": "may: [{run: [python, -m, pytest]}]",
    "prose success": "success: the docs are good",
    "prose check": "success: [the docs are good]",
    "empty check": "success: [{file: CHANGELOG.md}]",
    "two kinds": "success: [{file: a, run: b}]",
    "prose recovery": "recovery: try again",
    "unknown condition": "recovery: [{when: stuk, do: undo}]",
    "unknown remedy": "recovery: [{when: stuck, do: ask onwer}]",
    "bare time": "limits: {time: 90}",
    "negative turns": "limits: {turns: -1}",
    "truth as a number": "limits: {turns: true}",
    "too fine money": "limits: {usd: 0.0000001}",
    "tab": "may:\n\t- read: a",
    "open list": "may: [{read: a}",
    "open quote": 'goal: "release',
    "escape": 'success: [{file: a, matches: "\\d"}]',
    "indent": "goal: a\n owner: b",
    "hidden": "goal: release\u202e",
    "hidden by an escape": 'goal: "a\\x1b[2J"',
    "nothing": "",
    "list": "- goal: a",
    "text": "Update the docs",
    "key": "? [a]\n: b",
    "environment": "environment: [TOKEN=1]",
}


def test_every_trap_of_the_format_is_named_with_a_way_out() -> None:
    assert {name: said(parse(text, file="c")) for name, text in TRAPS.items()} == snapshot(
        {
            "clock": [
                "c:1:16: CLOCK limits.time: `1:30` could be a clock time or a number in base sixty; write `90m`, or quote it where a text is meant"
            ],
            "star": [
                'c:2:12: NEEDS-QUOTES : what begins with `*` needs quotes, else YAML takes it for a reference; write `"**"` or `"*.md"`'
            ],
            "reference": [
                'c:2:12: NEEDS-QUOTES : what begins with `*` needs quotes, else YAML takes it for a reference; write `"*everything"`'
            ],
            "colon": [
                "c:1:14: NEEDS-QUOTES : a text that contains `: ` needs quotes; put quotes around everything after the first `: `"
            ],
            "anchor": ["c:1:7: ANCHOR : `&x` is an anchor; write the value out, or put it in quotes"],
            "tag": ["c:1:7: TAG : `tag:yaml.org,2002:python/object:os.system` is a tag; leave it out, or put the text in quotes"],
            "merge": ["c:1:10: MERGE-KEY : `<<` merges are not used here; write the keys out"],
            "twice": ["c:3:1: DUPLICATE-KEY : the key `goal` was already given on line 1; put the two together"],
            "documents": ["c:2:1: SECOND-DOCUMENT : a second document begins here; one file, one contract"],
            "directive": ["c:1:1: DIRECTIVE : YAML directives are not used here; take the `%` lines out"],
            "unknown key": ["c:1:1: UNKNOWN-KEY gaol: unknown key `gaol`; did you mean `goal`?"],
            "unknown verb": ["c:1:8: UNKNOWN-KEY may[0].wirte: unknown key `wirte`; did you mean `write`?"],
            "two verbs": [
                "c:1:7: NOT-A-RULE may[0]: 2 verbs in one rule; exactly one of read, write, delete, run, fetch, call, publish, delegate, commit, branch, tag, push"
            ],
            "no verb": [
                "c:1:7: NOT-A-RULE may[0]: a rule without a verb; exactly one of read, write, delete, run, fetch, call, publish, delegate, commit, branch, tag, push"
            ],
            "prose rule": [
                "c:1:7: NOT-A-RULE may[0]: `be careful` is not a rule; write a verb and its object, such as `write: docs/**`; verbs: read, write, delete, run, fetch, call, publish, delegate, commit, branch, tag, push"
            ],
            "one bound": [
                "c:1:35: ONE-BOUND may[0].where.amount: a range needs both bounds, else anything on the open side passes, negatives included; write `{from: 0.01, to: 50}` or `{over: 50, to: 500}`"
            ],
            "no amount between": [
                "c:1:35: EMPTY-RANGE may[0].where.amount: no amount lies between `50` and `50`; put the smaller one first"
            ],
            "exponent": [
                "c:1:49: NUMBER may[0].where.amount.to: `1e9` is not a plain decimal; write it out, such as `0.01` or `500`"
            ],
            "not a number": [
                "c:1:35: NUMBER may[0].where.amount: `.nan` is not a plain decimal; write a decimal, or quote it where a text is meant"
            ],
            "other base": [
                "c:1:35: NUMBER may[0].where.amount: `0x10` is not a plain decimal; write a decimal, or quote it where a text is meant"
            ],
            "leading zero": [
                "c:1:37: NUMBER may[0].where.order_id: `007` would be a number without its leading zeros; quote it where a text is meant"
            ],
            "unknown form": ["c:1:32: UNKNOWN-KEY may[0].where.to.knwon: unknown key `knwon`; did you mean `known`?"],
            "regex": [
                "c:1:39: REGEX may[0].where.to.regex: the pattern cannot be used: invalid perl operator: (?=; only what matches in linear time: no look-around, no back-references"
            ],
            "dots": [
                "c:1:15: PATH may[0].write: `..` leads out of what the rule names; write the path from the root of the workspace"
            ],
            "backslash": ["c:1:15: PATH may[0].write: `docs\\src` is not a path of the workspace; parts are divided by `/`"],
            "any path": [
                'c:1:17: PATH never[0].write: `any` would be a file of that name; write `"**"` for every path, or `./any` for the file'
            ],
            "host without port": [
                "c:1:15: OBJECT may[0].fetch: `api.example.com` names no host with a port and no URL; write `api.example.com:443` or `https://api.example.com/v1`"
            ],
            "who asks a never": [
                "c:1:9: NOT-UNDERSTOOD never[0].who: `who` belongs to `ask`, not to `never`; move the rule below `ask:`"
            ],
            "shell in a rule": [
                "c:1:13: COMMAND may[0].run: `|` would need a shell, and commands run without one; one command; put a pipeline in a script and run that"
            ],
            "shell in a check": [
                "c:1:17: COMMAND success[0].run: `&` would need a shell, and commands run without one; one command; put a pipeline in a script and run that"
            ],
            "words as a list": [
                "c:1:22: COMMAND may[0].run[1]: `-m` is an option, not a command; a command as a list of words is a list in the list: `run: [[python, -m, pytest]]`"
            ],
            "prose success": [
                "c:1:10: NOT-TESTABLE success: `the docs are good` is prose, which no machine can check; a check is `run:` a program, `file:` with `matches:`, `json:` with `at:`, or `tree: unchanged`"
            ],
            "prose check": [
                "c:1:11: NOT-TESTABLE success[0]: `the docs are good` is prose, which no machine can check; a check is `run:` a program, `file:` with `matches:`, `json:` with `at:`, or `tree: unchanged`"
            ],
            "empty check": [
                "c:1:11: NOT-TESTABLE success[0]: the check says nothing about the file; add `exists: true`, `matches: PATTERN` or `unchanged: true`"
            ],
            "two kinds": [
                "c:1:11: NOT-TESTABLE success[0]: a check of two kinds at once; exactly one of run, file, json, yaml, tree, deliverables, invoked, ended, steps, reported"
            ],
            "prose recovery": [
                "c:1:11: NOT-A-RUNG recovery: `try again` is prose, which nothing can follow; write rungs: `- when: stuck` with `do: ask owner`, and at the end `- when: failed` with `do: undo`"
            ],
            "unknown condition": ["c:1:19: UNKNOWN-CONDITION recovery[0].when: unknown condition `stuk`; did you mean `stuck`?"],
            "unknown remedy": ["c:1:30: UNKNOWN-REMEDY recovery[0].do: unknown remedy `ask onwer`; did you mean `ask owner`?"],
            "bare time": ["c:1:16: TIME limits.time: `90` is not a length of time; write `90s` or `90m`"],
            "negative turns": [
                "c:1:17: NOT-UNDERSTOOD limits.turns: `-1` is not a whole number; write digits only, such as `40`"
            ],
            "truth as a number": [
                "c:1:17: NOT-UNDERSTOOD limits.turns: `true` is not a whole number; write digits only, such as `40`"
            ],
            "too fine money": [
                "c:1:15: MONEY limits.usd: `0.0000001` is not an amount of dollars; write `2.00`; up to six places, no sign"
            ],
            "tab": ["c:2:1: TAB : a tab stands where blanks belong; indent with blanks"],
            "open list": ["c:2:1: OPEN-LIST : a `[` is not closed, or a comma is missing; close it with `]`"],
            "open quote": ["c:1:15: OPEN-QUOTE : a quote that was opened is never closed; close it, or take it out"],
            "escape": ["c:1:31: ESCAPE : `\\` begins an escape inside double quotes; use single quotes: '^v\\d+'"],
            "indent": ["c:2:7: INDENT : a key stands where none can be; look at how this line and the one above are indented"],
            "hidden": ["c:1:14: HIDDEN-CHARACTER : the character U+202E cannot be seen; take it out"],
            "hidden by an escape": [
                "c:1:7: HIDDEN-CHARACTER : an escape puts the character U+001B here, which cannot be seen; take it out"
            ],
            "nothing": ["c:1:1: EMPTY : there is nothing in it; `remit new` writes a skeleton"],
            "list": [
                "c:1:1: NOT-UNDERSTOOD : a list stands where the keys of the file belong; a contract begins with `goal:`; `remit new --from FILE` makes one from prose"
            ],
            "text": [
                "c:1:1: NOT-UNDERSTOOD : `Update the docs` stands where the keys of the file belong; a contract begins with `goal:`; `remit new --from FILE` makes one from prose"
            ],
            "key": ["c:1:3: KEY : a list or a mapping stands where a key should be; put it in quotes if it is a text"],
            "environment": [
                "c:1:14: NOT-UNDERSTOOD environment: `TOKEN=1` is not the name of a variable; names only; the values come from where the run is started"
            ],
        }
    )


def test_every_mistake_is_said_at_once() -> None:
    text = "gaol: x\nmay:\n  - wirte: a\n  - call: pay\n    where: {amount: {to: 5}}\nlimits: {tunrs: 5, time: 1:30}\nsuccess: [{file: a}]\n"
    assert said(parse(text, file="c.remit.yaml")) == snapshot(
        [
            "c.remit.yaml:1:1: UNKNOWN-KEY gaol: unknown key `gaol`; did you mean `goal`?",
            "c.remit.yaml:3:5: UNKNOWN-KEY may[0].wirte: unknown key `wirte`; did you mean `write`?",
            "c.remit.yaml:5:21: ONE-BOUND may[1].where.amount: a range needs both bounds, else anything on the open side passes, negatives included; write `{from: 0.01, to: 50}` or `{over: 50, to: 500}`",
            "c.remit.yaml:6:10: UNKNOWN-KEY limits.tunrs: unknown key `tunrs`; did you mean `turns`?",
            "c.remit.yaml:6:26: CLOCK limits.time: `1:30` could be a clock time or a number in base sixty; write `90m`, or quote it where a text is meant",
            "c.remit.yaml:7:11: NOT-TESTABLE success[0]: the check says nothing about the file; add `exists: true`, `matches: PATTERN` or `unchanged: true`",
        ]
    )


def test_several_stars_without_quotes_are_all_named() -> None:
    assert said(parse("may:\n  - read: **\n  - write: [docs/**, *.md]\nnever:\n  - write: '*'\n", file="c")) == snapshot(
        [
            'c:2:11: NEEDS-QUOTES : what begins with `*` needs quotes, else YAML takes it for a reference; write `"**"` or `"*.md"`',
            'c:3:22: NEEDS-QUOTES : what begins with `*` needs quotes, else YAML takes it for a reference; write `"**"` or `"*.md"`',
        ]
    )


def test_a_finding_shows_its_line_with_a_caret() -> None:
    (finding,) = parse("goal: a\nlimits: {turns: 5, tiem: 1m}\n", file="c").findings
    assert f"\n{finding.excerpt}\n" == snapshot("""\

limits: {turns: 5, tiem: 1m}
                   ^
""")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/docs", "docs"),
        ("/docs/**", "docs/**"),
        ("./a", "a"),
        ("docs/", "docs/**"),
        ("./any", "any"),
        ("e\u0301", "é"),
        ("/", None),
        ("~/x", None),
    ],
)
def test_paths_begin_at_the_root_of_the_repository(written: str, meant: str | None) -> None:
    parsed = parse(f"may: [{{write: '{written}'}}]", file="c")
    assert [rule.objects for rule in parsed.draft.rules] == ([(meant,)] if meant else [])


def test_a_command_is_split_once_with_quotes_or_given_as_words() -> None:
    rules = rules_of("may:\n  - run: git commit '--message=a b' *\n  - run: [git status, [git, log, 'a b']]\n")
    assert [rule.objects for rule in rules] == [("git commit '--message=a b' *",), ("git status", "git log 'a b'")]


def test_the_tree_check_and_the_data_check_have_one_form_each() -> None:
    text = "success:\n  - tree: unchanged\n    outside: [docs/, CHANGELOG.md]\n  - json: package.json\n    at: $.version\n    equals: 2.4.0\n"
    assert parse(text, file="c").draft.success == (
        TreeCheck(id="check-1", outside=("docs/**", "CHANGELOG.md")),
        DataCheck(id="check-2", format="json", file="package.json", at="$.version", equals="2.4.0"),
    )


def test_rules_carry_their_examples_with_numbers_as_written() -> None:
    (rule,) = rules_of(
        "may:\n  - call: pay\n    where: {amount: {from: 1, to: 5}}\n    examples:\n      match: [{call: pay, with: {b: x, amount: 2.50}}]\n      no match: [pay]\n"
    )
    assert [(one.object, one.arguments) for one in (*rule.match, *rule.no_match)] == [
        ("pay", '{"amount":2.50,"b":"x"}'),
        ("pay", "{}"),
    ]


def test_a_tool_of_consequence_is_high_risk_unless_it_says() -> None:
    names = ("pay_invoice", "send_email", "run_shell", "browser_click", "deploy", "list_orders", "rename_label")
    tools = parse("tools: {" + ", ".join(f"{name}: {{}}" for name in names) + "}", file="c").draft.tools
    assert {tool.name: tool.tier for tool in tools} == {
        "pay_invoice": "high-risk",
        "send_email": "high-risk",
        "run_shell": "high-risk",
        "browser_click": "high-risk",
        "deploy": "high-risk",
        "list_orders": "bounded",
        "rename_label": "bounded",
    }


def test_an_organisation_says_who_signs_what_and_who_answers_to_whom() -> None:
    text = SUPPORT + "  more: x\nmay: [{push: main}]\nassurance: person-signed\n"
    text = text.replace(
        "    roles: [support-lead]\n",
        "    roles: [support-lead]\n    answers to: head@example.com\n    may sign: [{publish: refund}]\n  - id: head@example.com\n",
    )
    organisation = parse_organisation(text, file="org.remit.yaml").organisation
    assert organisation is not None
    assert organisation.people[0].answers_to == "head@example.com"
    assert organisation.people[0].may_sign[0].objects == ("refund",)
    assert organisation.registers[1].members == ("x",)
    assert organisation.assurance == "person-signed"


def test_keys_an_organisation_does_not_have_are_found() -> None:
    parsed = parse_organisation("goal: x\npeople: [{id: a, rols: [b]}]\n", file="org.remit.yaml")
    assert parsed.organisation is None
    assert [finding.code for finding in parsed.findings] == ["UNKNOWN-KEY", "UNKNOWN-KEY"]


TASK = """---
owner: release-lead@example.com
goal: Prepare the release
never:
  - push: any
    because: Do not push to any branch
---
# Task

Some words about the background.

- Do not push to any branch
- Never touch the
  billing code
"""


def test_prose_below_the_front_matter_is_unenforced_until_a_rule_repeats_it() -> None:
    parsed = parse(TASK, file="TASK.md")
    assert parsed.draft.unenforced == ("Never touch the billing code",)
    assert str(parsed.marks["never[0].push"]) == "TASK.md:5:5"


def test_whom_the_agent_acts_for_comes_from_the_soul_beside_the_task() -> None:
    assert parse(TASK, file="TASK.md", soul="---\nacts for: Example Ltd\n---\n").draft.principal == "Example Ltd"
    assert [finding.code for finding in parse(TASK, file="TASK.md", soul="I am kind.\n").findings] == ["NO-PRINCIPAL"]


def test_a_soul_that_cannot_be_read_names_nobody() -> None:
    assert [finding.code for finding in parse(TASK, file="TASK.md", soul="---\nacts for: [*x\n---\n").findings] == [
        "NO-PRINCIPAL"
    ]


def test_bytes_that_are_no_text_are_refused_at_their_place() -> None:
    (finding,) = parse_bytes(b"goal: a\nowner: \xff\n", file="c").findings
    assert line(finding) == "c:2:8: NOT-UTF-8 : these bytes are not UTF-8; save the file as UTF-8"


def test_one_byte_order_mark_at_the_very_beginning_is_passed_over() -> None:
    assert parse_bytes(b"\xef\xbb\xbf" + RELEASE.encode(), file="c").contract == parse(RELEASE, file="c").contract
    assert [finding.code for finding in parse("goal: a\n\ufeffowner: b\n", file="c").findings] == ["HIDDEN-CHARACTER"]


HOSTILE = {
    "brackets": ("[" * 100_000, "TOO-DEEP"),
    "braces": ("{a: " * 60_000, "TOO-DEEP"),
    "dashes": ("- " * 100_000, "TOO-DEEP"),
    "questions": ("? " * 100_000, "TOO-DEEP"),
    "steps": ("".join(" " * depth + "a:\n" for depth in range(600)), "TOO-DEEP"),
    "nots": ("may: [{call: x, where: {a: " + "{not: " * 100 + "any" + "}" * 100 + "}}]", "TOO-DEEP"),
    "siblings": ("[" + "[]," * 80_000 + "]", "TOO-MANY"),
    "keys": ("\n".join(f"k{number}: 1" for number in range(20_000)), "TOO-MANY"),
    "size": ("goal: " + "x" * 270_000, "TOO-LARGE"),
    "laughs": ("a: &a [x, x]\nb: &b [*a, *a]\n", "ANCHOR"),
    "nul": ("goal: a\0b", "HIDDEN-CHARACTER"),
    "rules": ("may:\n" + "  - {wirte: a}\n" * 4000, "UNKNOWN-KEY"),
    "regexes": ("may:\n" + "  - {call: x, where: {a: {regex: '(a{900}){900}'}}}\n" * 1500, "REGEX"),
    "long regex": ("may: [{call: x, where: {a: {regex: '" + "(" * 60_000 + "'}}}]", "REGEX"),
    "commands": ("may:\n" + '  - {run: "a \'b"}\n' * 4000, "COMMAND"),
    "long command": ("may:\n  - run: " + "a " * 120_000, ""),
    "words": ("goal: " + "as needed etc " * 15_000, ""),
    "numbers": ("limits: {turns: " + "9" * 200_000 + "}", "NOT-UNDERSTOOD"),
    "decimals": ("may: [{call: x, where: {a: " + "9" * 200_000 + "}}]", "NUMBER"),
    "clocks": ("limits: {time: " + "1:" * 100_000 + "1}", "CLOCK"),
    "stars": ("may:\n" + "  - read: *\n" * 15_000, "NEEDS-QUOTES"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_answered_within_a_second(name: str) -> None:
    text, code = HOSTILE[name]
    begin = time.perf_counter()
    parsed = parse(text, file="c")
    taken = time.perf_counter() - begin
    assert (parsed.findings[0].code if parsed.findings else "") == code
    assert taken < 1
    assert all(len(finding.message) < 400 and len(finding.excerpt) < 400 for finding in parsed.findings)
    assert len(parsed.findings) <= 220
