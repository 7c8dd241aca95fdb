"""Contract and organisation files as values: everything wrong is said at once, each with its place."""

import re
from collections.abc import Mapping
from typing import Literal, cast

import msgspec

from remit.contract.contract import LEVELS, Contract, Finding, Level, Mark
from remit.contract.front import FrontMatter, front_matter
from remit.contract.limits import Limits
from remit.contract.models import Model
from remit.contract.nodes import Leaf, Node, Table
from remit.contract.outcome import Check, Escalation, Recovery
from remit.contract.parse_binding import parse_mail
from remit.contract.parse_escalation import parse_escalation
from remit.contract.parse_heavy import parse_heavy
from remit.contract.parse_limits import parse_limits
from remit.contract.parse_models import parse_model, parse_models
from remit.contract.parse_outcome import parse_paths, parse_recovery, parse_success
from remit.contract.parse_party import parse_registers, parse_tools
from remit.contract.parse_people import called, parse_inbox, parse_people
from remit.contract.parse_rule import parse_argv, parse_rules
from remit.contract.parse_server import parse_servers
from remit.contract.party import ASSURANCES, Assurance, Organisation, Tool
from remit.contract.reading import Reading, in_order, said
from remit.contract.rule import Effect, Rule
from remit.contract.text import MOST_BYTES, Source, compose
from remit.contract.vague import normative
from remit.value import Value

CONTRACT_KEYS = (
    "goal", "owner", "acts for", "may", "ask", "never", "limits", "success", "recovery", "escalation", "tools",
    "runtime", "model", "models", "history", "containment", "publish", "environment", "unenforced", "principal",
)  # fmt: skip
ORGANISATION_KEYS = (
    "name", "people", "known", "may", "ask", "never", "tools", "limits", "secrets", "assurance", "four eyes", "mail", "inbox",
    "inbox keys", "models", "heavy", "servers",
)  # fmt: skip
EFFECTS: tuple[Effect, ...] = ("may", "ask", "never")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Draft(Value, frozen=True, kw_only=True):
    """As much of a contract as is written and understood; `written` are the keys that are there, even if faulty."""

    goal: str = ""
    owners: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    limits: Limits = Limits()
    success: tuple[Check, ...] = ()
    recovery: tuple[Recovery, ...] = ()
    escalation: tuple[Escalation, ...] = ()
    tools: tuple[Tool, ...] = ()
    runtime: tuple[str, ...] = ()
    principal: str | None = None
    containment: Level = "L3"
    publish: Literal["auto", "ask"] = "auto"
    environment: tuple[str, ...] = ()
    unenforced: tuple[str, ...] = ()
    model: str = ""
    models: tuple[Model, ...] = ()
    history: Literal["none", "keep"] = "none"
    written: frozenset[str] = frozenset()


class Parsed(Value, frozen=True, kw_only=True):
    """What a text says. `contract` only when it is whole and nothing in it is wrong; `draft` always.

    `marks` holds places by path (`may[0].where.amount`), and by name (`rule ID`, `check ID`). `text` begins at line `first`
    of `file`, for excerpts.
    """

    draft: Draft
    contract: Contract | None
    findings: tuple[Finding, ...]
    marks: Mapping[str, Mark]
    text: str = ""
    file: str = ""
    first: int = 1


class ParsedOrganisation(Value, frozen=True, kw_only=True):
    """What an organisation file says; `organisation` only when nothing in it is wrong."""

    organisation: Organisation | None
    findings: tuple[Finding, ...]
    marks: Mapping[str, Mark]


def parse(text: str, *, file: str, soul: str | None = None) -> Parsed:
    """A contract from YAML, or from Markdown with front matter where `file` ends in `.md`.

    `soul` is the text of the SOUL.md beside it, which says whom the agent acts for (TIER-02).
    """
    front = front_matter(text) if file.endswith(".md") else None
    source = Source(front.yaml, file, front.first) if front else Source(text.removeprefix("\ufeff"), file)
    root, trouble = compose(source)
    reading = Reading(source)
    reading.findings.extend(trouble)
    table = _root(reading, root, trouble, CONTRACT_KEYS)
    draft = _draft(reading, table) if table else Draft()
    if front:
        draft = msgspec.structs.replace(draft, unenforced=(*draft.unenforced, *_unbound(front, draft)))
    if soul is not None:
        draft = _with_soul(reading, draft, soul)
    _distinct_rules(reading, (*draft.rules, *(rule for rung in draft.recovery for rule in rung.may)))
    return Parsed(
        draft=draft,
        contract=_whole(draft) if not _errors(reading) else None,
        findings=in_order(reading.findings),
        marks=reading.marks,
        text=source.text,
        file=file,
        first=source.first,
    )


def parse_bytes(data: bytes, *, file: str, soul: str | None = None) -> Parsed:
    """The same from the bytes of a file, which must be UTF-8."""
    text, finding = _decoded(data, file)
    if finding:
        return Parsed(draft=Draft(), contract=None, findings=(finding,), marks={})
    return parse(text, file=file, soul=soul)


def parse_organisation(text: str, *, file: str) -> ParsedOrganisation:
    """An organisation file: who is who, and the ceiling over every contract."""
    source = Source(text.removeprefix("\ufeff"), file)
    root, trouble = compose(source)
    reading = Reading(source)
    reading.findings.extend(trouble)
    table = _root(reading, root, trouble, ORGANISATION_KEYS)
    organisation = _organisation(reading, table) if table else None
    if organisation:
        signing = (rule for person in organisation.people for rule in person.may_sign)
        _distinct_rules(reading, (*organisation.rules, *signing))
        _reachable_rules(reading, organisation)
    return ParsedOrganisation(
        organisation=None if _errors(reading) else organisation, findings=in_order(reading.findings), marks=reading.marks
    )


def parse_organisation_bytes(data: bytes, *, file: str) -> ParsedOrganisation:
    """The same from the bytes of a file, which must be UTF-8."""
    text, finding = _decoded(data, file)
    if finding:
        return ParsedOrganisation(organisation=None, findings=(finding,), marks={})
    return parse_organisation(text, file=file)


def _decoded(data: bytes, file: str) -> tuple[str, Finding | None]:
    if len(data) > MOST_BYTES:
        mark = Mark(file=file, line=1, column=1)
        what = "the file is larger than 256 KiB"
        return "", Finding(
            code="TOO-LARGE", severity="error", where="", message=what, hint="a contract is a page, not a book", mark=mark
        )
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start)
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1)
        mark = Mark(file=file, line=line + 1, column=column + 1)
        what = "these bytes are not UTF-8"
        return "", Finding(code="NOT-UTF-8", severity="error", where="", message=what, hint="save the file as UTF-8", mark=mark)


def _errors(reading: Reading) -> bool:
    return any(finding.severity == "error" for finding in reading.findings)


def _root(reading: Reading, root: Node | None, trouble: tuple[Finding, ...], keys: tuple[str, ...]) -> Table | None:
    if root is None:
        if not trouble:
            mark = reading.source.mark(0, 0)
            what = "there is nothing in it"
            reading.findings.append(
                Finding(code="EMPTY", severity="error", where="", message=what, hint="`remit new` writes a skeleton", mark=mark)
            )
        return None
    if not isinstance(root, Table):
        hint = "a contract begins with `goal:`; `remit new --from FILE` makes one from prose"
        reading.wrong(root, "", f"{said(root)} stands where the keys of the file belong", hint=hint)
        return None
    return reading.table(root, "", keys)


def _draft(reading: Reading, table: Table) -> Draft:
    def at(key: str) -> Node | None:
        return table.get(key)

    blank = [key.text for key, value in table.pairs if isinstance(value, Leaf) and value.kind == "nothing"]
    table = Table(mark=table.mark, pairs=tuple(pair for pair in table.pairs if pair[0].text not in blank))
    written = frozenset(key.text for key, _ in table.pairs)
    success, recovery, escalation, tools, runtime = (at(key) for key in ("success", "recovery", "escalation", "tools", "runtime"))
    return Draft(
        goal=reading.text(at("goal"), "goal").strip(),
        owners=reading.texts(at("owner"), "owner"),
        rules=_rules(reading, table),
        limits=parse_limits(reading, at("limits"), "limits"),
        success=parse_success(reading, success, "success") if success is not None else (),
        recovery=parse_recovery(reading, recovery, "recovery") if recovery is not None else (),
        escalation=parse_escalation(reading, escalation, "escalation") if escalation is not None else (),
        tools=parse_tools(reading, tools, "tools") if tools is not None else (),
        runtime=parse_argv(reading, runtime, "runtime") if runtime is not None else (),
        principal=_principal(reading, table),
        containment=cast(Level, reading.choice(at("containment"), "containment", LEVELS, default="L3")),
        publish=cast(Literal["auto", "ask"], reading.choice(at("publish"), "publish", ("auto", "ask"), default="auto")),
        environment=_environment(reading, at("environment")),
        unenforced=tuple(line for text in reading.texts(at("unenforced"), "unenforced") for line in _lines(text)),
        model=parse_model(reading, at("model"), "model"),
        models=parse_models(reading, at("models"), "models"),
        history=cast(Literal["none", "keep"], reading.choice(at("history"), "history", ("none", "keep"), default="none")),
        written=written,
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _rules(reading: Reading, table: Table) -> tuple[Rule, ...]:
    """In the order of the file, so that a reason can be followed by eye."""
    effects = ((effect, value) for key, value in table.pairs for effect in EFFECTS if effect == key.text)
    return tuple(rule for effect, value in effects for rule in parse_rules(reading, value, effect, effect))


def _distinct_rules(reading: Reading, rules: tuple[Rule, ...]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            mark = reading.marks.get(f"rule {rule.id}")
            finding = Finding(
                code="DUPLICATE-ID",
                severity="error",
                where=f"rule {rule.id}",
                message=f"two rules are called `{rule.id}`",
                hint="give each its own id",
                mark=mark,
                excerpt=reading.source.excerpt(mark) if mark else "",
            )
            reading.findings.append(finding)
        seen.add(rule.id)


def _reachable_rules(reading: Reading, organisation: Organisation) -> None:
    """A rule of the ceiling that asks more people than there are could never be answered."""
    for rule in organisation.rules:
        if rule.quorum > 1 and rule.who and len(called(rule.who, organisation.people)) < rule.quorum:
            mark = reading.marks.get(f"rule {rule.id}")
            what = f"{rule.quorum} people of `{rule.who}` must say yes, and there are not so many"
            hint = "ask for fewer, or give the role to more people"
            finding = Finding(
                code="QUORUM-UNREACHABLE", severity="error", where=f"rule {rule.id}", message=what, hint=hint, mark=mark,
                excerpt=reading.source.excerpt(mark) if mark else "",
            )  # fmt: skip
            reading.findings.append(finding)


def _principal(reading: Reading, table: Table) -> str | None:
    named = [key for key in ("acts for", "principal") if table.get(key) is not None]
    if len(named) == 2:
        reading.wrong(table, "principal", "`acts for` and `principal` say the same thing", hint="keep `acts for`")
    return reading.optional(table.get(named[0]), named[0]) if named else None


def _environment(reading: Reading, node: Node | None) -> tuple[str, ...]:
    names = reading.texts(node, "environment")
    for name in names:
        if node is not None and not _NAME.fullmatch(name):
            hint = "names only; the values come from where the run is started"
            reading.wrong(node, "environment", f"`{name}` is not the name of a variable", hint=hint)
    return names


def _unbound(front: FrontMatter, draft: Draft) -> tuple[str, ...]:
    """Prose of the body that reads like a rule and is repeated by no rule's `because`."""
    bound = {rule.because.strip() for rule in draft.rules}
    return tuple(line for line in front.body if normative(line) and line not in bound and line not in draft.unenforced)


def _with_soul(reading: Reading, draft: Draft, soul: str) -> Draft:
    front = front_matter(soul)
    root, _ = compose(Source(front.yaml, "SOUL.md", front.first))
    named = next((root.get(key) for key in ("acts for", "principal") if root.get(key)), None) if isinstance(root, Table) else None
    principal = reading.optional(named, "SOUL.md.acts for") if named is not None else None
    if not principal:
        mark = Mark(file="SOUL.md", line=1, column=1)
        what = "the SOUL.md beside this file does not say for whom the agent acts"
        hint = "begin it with `---`, `acts for: PERSON`, `---`"
        reading.findings.append(
            Finding(code="NO-PRINCIPAL", severity="error", where="acts for", message=what, hint=hint, mark=mark)
        )
    elif draft.principal and draft.principal != principal:
        what = f"SOUL.md says the agent acts for `{principal}`, this file says `{draft.principal}`"
        reading.findings.append(
            Finding(code="TWO-PRINCIPALS", severity="error", where="acts for", message=what, hint="let SOUL.md say it alone")
        )
    return msgspec.structs.replace(draft, principal=draft.principal or principal)


def _whole(draft: Draft) -> Contract | None:
    if not (
        draft.goal and len(draft.owners) == 1 and draft.rules and draft.success and draft.recovery and "limits" in draft.written
    ):
        return None
    shared = {name: getattr(draft, name) for name in Contract.__struct_fields__ if name != "owner"}
    return Contract(owner=draft.owners[0], **shared)


def _organisation(reading: Reading, table: Table) -> Organisation:
    people, known, tools, secrets = (table.get(key) for key in ("people", "known", "tools", "secrets"))
    usual, server = Organisation(), table.get("mail")
    mail = parse_mail(reading, server, "mail") if server is not None else None
    servers = parse_servers(reading, table.get("servers"), "servers")
    return Organisation(
        name=reading.text(table.get("name"), "name", default=usual.name),
        people=parse_people(reading, people, "people") if people is not None else (),
        registers=parse_registers(reading, known, "known") if known is not None else (),
        rules=_rules(reading, table),
        tools=parse_tools(reading, tools, "tools", mail=mail, servers=servers, binds=True) if tools is not None else (),
        limits=parse_limits(reading, table.get("limits"), "limits"),
        secrets=parse_paths(reading, secrets, "secrets") if secrets is not None else usual.secrets,
        assurance=cast(Assurance, reading.choice(table.get("assurance"), "assurance", ASSURANCES, default=usual.assurance)),
        four_eyes=bool(reading.truth(table.get("four eyes"), "four eyes")),
        mail=mail,
        inbox=parse_inbox(reading, table.get("inbox"), "inbox"),
        inbox_keys=reading.texts(table.get("inbox keys"), "inbox keys"),
        models=parse_models(reading, table.get("models"), "models"),
        heavy=parse_heavy(reading, table.get("heavy"), "heavy"),
        servers=servers,
    )
