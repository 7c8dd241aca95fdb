"""What one contract of a lineage answers to one action, by itself."""

from remit.authority.arguments import missing, unknown
from remit.authority.case import ALLOW, ASK, REFUSE, Answer, Case, Question
from remit.authority.compile import Authority, CompiledRule, Shelf, Unreadable
from remit.authority.consequence import MUTATING, consequential, irreversible
from remit.authority.counting import answerable, approvers
from remit.authority.decision import Code, Reason
from remit.authority.spent import Spent
from remit.authority.subject import Subject
from remit.authority.windows import exhausted, over
from remit.authority.words import asked, instead, refused, shown_rule, shown_where, uncovered
from remit.contract.party import Tool
from remit.contract.rule import Rule

NO_SHELF = Shelf()
LOOKED_AT = frozenset({"read", "write", "delete", "run"})
"""verbs whose object alone may call for more than a rule: secrets, plants, shell lines"""
NONE_INERT: frozenset[str] = frozenset()


def answer(authority: Authority, case: Case) -> Answer:
    """Never before ask before may, otherwise refuse; a ceiling without a `may` for the verb is neutral."""
    subject = case.subject
    tool = authority.tools.get(subject.name) if subject.verb == "call" else None
    if tool is not None and (early := _tool(authority, tool, subject)):
        return early
    spend = case.spent.spend.get(authority.hash)
    if spend is not None and (why := exhausted(authority.limits, spend, subject)):
        return _refuse(authority, Code.LIMIT, why, do="ask the owner for more, or hand over what there is")
    shelf = authority.shelves.get(subject.verb, NO_SHELF)
    met: list[CompiledRule] = []
    inert = authority.inert.get(subject.name, NONE_INERT)
    for rule in shelf.fitting(subject):
        try:
            if rule.hits(subject, case.spent.created, inert):
                met.append(rule)
        except Unreadable as error:
            return _refuse(authority, Code.INPUTS, str(error), rule=rule.rule.id, do="give the amount as a JSON number")
        except Exception as error:  # noqa: BLE001 - a rule that errors refuses, whatever the error is
            return _refuse(authority, Code.RULE_ERROR, f"rule `{rule.rule.id}` cannot be judged: {error}", rule=rule.rule.id)
    if len(met) == 1 and met[0].may:
        if authority.simple and tool is None and met[0].rule.times is None and subject.verb not in LOOKED_AT:
            return met[0].alone
        mays, asks = met, []
    else:
        if nevers := [rule for rule in met if rule.rule.effect == "never"]:
            return _never(authority, subject, shelf, nevers, [rule for rule in met if rule.rule.effect != "never"])
        mays = [rule for rule in met if rule.may]
        asks = [rule for rule in met if rule.rule.effect == "ask"]
    return _covered(authority, case, shelf, tool, mays, asks)


# ---------------------------------------------------------------------------------------------------------------------


def _refuse(authority: Authority, code: Code, why: str, *, rule: str | None = None, do: str = "") -> Answer:
    return Answer(strictness=REFUSE, reasons=(Reason(code=code, rule=rule, contract=authority.hash, why=why, instead=do),))


def _tool(authority: Authority, tool: Tool, subject: Subject) -> Answer | None:
    """What the declaration of the tool itself rules out, before any rule is asked."""
    if why := missing(tool, subject.arguments):
        return _refuse(authority, Code.INPUTS, why, do="give every required argument in its declared type")
    if tool.tier == "read-only" and tool.effect in MUTATING:
        return _refuse(authority, Code.AUTHORITY, f"`{tool.name}` is a read-only tool, and its effect is to {tool.effect}")
    if strange := unknown(tool, subject.arguments):
        named = ", ".join(f"`{name}`" for name in strange)
        known = ", ".join(f"`{argument.name}`" for argument in tool.arguments)
        return _refuse(authority, Code.UNCOVERED, f"`{tool.name}` has no argument {named}", do=f"it takes {known}")
    return None


def _never(
    authority: Authority, subject: Subject, shelf: Shelf, nevers: list[CompiledRule], beaten: list[CompiledRule]
) -> Answer:
    do = instead(subject.verb, (rule.rule for rule in shelf.rules))
    return Answer(
        strictness=REFUSE,
        reasons=tuple(
            Reason(
                code=Code.AUTHORITY, rule=rule.rule.id, contract=authority.hash, why=refused(subject.name, rule.rule), instead=do
            )
            for rule in nevers
        ),
        considered=_beaten(beaten),
    )


def _beaten(rules: list[CompiledRule]) -> tuple[Reason, ...]:
    return tuple(rule.allowed for rule in rules)


def _covered(
    authority: Authority,
    case: Case,
    shelf: Shelf,
    tool: Tool | None,
    mays: list[CompiledRule],
    asks: list[CompiledRule],
) -> Answer:
    """No `never` is met: what remains of the coverage once times, secrets, plants, sums and owners are counted in."""
    spare = [rule for rule in mays if _left(rule, case.spent)]
    if used := next((rule for rule in asks if not _left(rule, case.spent)), None):
        return _refuse(authority, Code.LIMIT, _times(used), rule=used.rule.id, do="nobody can be asked again for this")
    covering = spare or asks
    if covering and (unnamed := _unnamed(authority, case.subject, [*spare, *asks])):
        return unnamed
    neutral = authority.ceiling and not covering and not shelf.has_may
    if not covering and not neutral:
        return _uncovered(authority, case.subject, tool, shelf, mays)
    limits = authority.limits
    windows = list(over(limits, case.subject, case.spent, case.now)) if limits.sums or limits.counts else []
    for then, why in windows:
        if then == "refuse":
            return _refuse(authority, Code.LIMIT, why, do="wait until the window has moved on, or ask the owner for more")
    if not asks and not windows and _free(case.subject, tool):
        return _granted(authority, case, tool, spare, neutral=neutral)
    questions = _questions(authority, case, tool, spare, asks, windows, neutral=neutral)
    if not questions:
        return _granted(authority, case, tool, spare, neutral=neutral)
    return _asked(authority, case, spare, questions)


def _free(subject: Subject, tool: Tool | None) -> bool:
    """Whether nothing about the action itself calls for a person."""
    return (tool is None or tool.tier != "human-approved") and (subject.verb != "run" or subject.argv is not None)


def _left(rule: CompiledRule, spent: Spent) -> bool:
    return rule.rule.times is None or spent.times.get(rule.key, 0) < rule.rule.times


def _times(rule: CompiledRule) -> str:
    return f"rule `{rule.rule.id}` counts {rule.rule.times} times, and they are used up"


def _unnamed(authority: Authority, subject: Subject, rules: list[CompiledRule]) -> Answer | None:
    """Secrets and plants are reached only by rules that name them."""
    if subject.verb == "read" and authority.secret(subject.name):
        if not any(rule.names(subject, authority.secret) for rule in rules):
            why = f"`{subject.name}` looks like a secret, and no rule names it"
            return _refuse(
                authority, Code.SECRET, why, do=f"a rule that names it, such as `read: {subject.name}`, would cover it"
            )
    elif subject.plant and not any(rule.names(subject, None) for rule in rules):
        why = f"`{subject.name}` is dangerous to {subject.verb} ({subject.plant}), and no rule names it"
        return _refuse(
            authority, Code.PLANT, why, do=f"a rule that names it, such as `{subject.verb}: {subject.name}`, would cover it"
        )
    return None


def _uncovered(authority: Authority, subject: Subject, tool: Tool | None, shelf: Shelf, used: list[CompiledRule]) -> Answer:
    if used:
        return _refuse(authority, Code.LIMIT, _times(used[0]), rule=used[0].rule.id, do=instead(subject.verb, ()))
    code = Code.IRREVERSIBLE if irreversible(subject, tool) else Code.UNCOVERED
    why = uncovered(subject.verb, subject.name)
    if code is Code.IRREVERSIBLE:
        why += ", and it cannot be undone"
    near = [rule.rule for rule in shelf.fitting(subject) if rule.rule.effect != "never"]
    if near:
        do = "; ".join(_near(rule, subject) for rule in near[:3])
    else:
        do = instead(subject.verb, (rule.rule for rule in shelf.rules))
    return _refuse(authority, code, why, do=do or "ask the owner for a rule that covers it")


def _near(rule: Rule, subject: Subject) -> str:
    """Which conditions a rule for this object has, and which arguments it does not name."""
    named = {where.argument for where in rule.where}
    extra = sorted(subject.arguments.keys() - named) if rule.effect == "may" and rule.verb == "call" else []
    text = shown_rule(rule) + (" when " + shown_where(rule) if rule.where else "")
    return text + (", without " + ", ".join(f"`{name}`" for name in extra) if extra else "")


def _questions(
    authority: Authority,
    case: Case,
    tool: Tool | None,
    mays: list[CompiledRule],
    asks: list[CompiledRule],
    windows: list[tuple[str, str]],
    *,
    neutral: bool,
) -> list[Question]:
    """Everyone who must say yes, each with the reason."""
    name, at = case.subject.name, authority.hash
    found = []
    for rule in asks:
        who = rule.rule.who or "owner"
        why = asked(name, rule.rule, who)
        reason = Reason(code=Code.APPROVAL, rule=rule.rule.id, contract=at, why=why)
        found.append(Question(who=who, reason=reason, quorum=max(1, rule.rule.quorum)))
    found += [Question(who="owner", reason=Reason(code=Code.APPROVAL, rule=None, contract=at, why=why)) for _, why in windows]
    covering = mays[0].rule.id if mays else None
    if not asks and not neutral and tool is not None and tool.tier == "human-approved":
        why = f"`{tool.name}` needs a person each time"
        found.append(Question(who="owner", reason=Reason(code=Code.APPROVAL, rule=covering, contract=at, why=why)))
    if not asks and not neutral and not _free(case.subject, None):
        why = "a shell line can do more than it says, so a person reads it first"
        do = "give the program and its arguments as a list"
        found.append(Question(who="owner", reason=Reason(code=Code.APPROVAL, rule=covering, contract=at, why=why, instead=do)))
    return found


def _asked(authority: Authority, case: Case, mays: list[CompiledRule], questions: list[Question]) -> Answer:
    """Which questions are answered. One nobody can be asked is refused: the risk has no owner (requirement OWN-05, OWN-09)."""
    open_, closed, rejected = [], [], []
    for question in questions:
        if not answerable(question.who, authority, owner=case.owner):
            why = f"this needs a yes from {question.who}, and there is no such person"
            return _refuse(authority, Code.RISK_OWNER, why, rule=question.reason.rule, do="name an owner who answers for it")
        people, fault = approvers(
            question.who, authority, case.subject, case.approvals, owner=case.owner, requester=case.requester,
            token=question.reason.token,
        )  # fmt: skip
        closed += [_approved(authority, question, person) for person in people]
        if len(people) >= question.quorum:
            continue
        open_.append(question)
        if fault:
            rejected.append(Reason(code=Code.AUTHORITY, rule=question.reason.rule, contract=authority.hash, why=fault))
    if not open_:
        return Answer(strictness=ALLOW, reasons=(*closed, *_beaten(mays[:1])))
    return Answer(
        strictness=ASK,
        reasons=tuple(question.reason for question in open_),
        asks=tuple(dict.fromkeys(_who(question.who, authority, case) for question in open_)),
        considered=(*rejected, *closed, *_beaten(mays)),
        quorum=tuple((_who(question.who, authority, case), question.quorum) for question in open_ if question.quorum > 1),
    )


def _approved(authority: Authority, question: Question, person: str) -> Reason:
    why = f"{person} said yes: {question.reason.why}"
    return Reason(code=Code.APPROVED, rule=question.reason.rule, contract=authority.hash, why=why)


def _who(asked: str, authority: Authority, case: Case) -> str:
    """`owner` stands for the owner of the run's own contract; the owner of another contract of the lineage goes by id."""
    owner = authority.owner or (case.owner if authority.ceiling else "")
    return owner if asked == "owner" and owner != case.owner else asked


def _granted(authority: Authority, case: Case, tool: Tool | None, mays: list[CompiledRule], *, neutral: bool) -> Answer:
    if neutral:
        return Answer(strictness=ALLOW, reasons=(), neutral=True)
    if not authority.owner and not authority.ceiling and consequential(case.subject, tool):
        return _refuse(authority, Code.RISK_OWNER, "nobody owns the risk of this", do="name an owner in the contract")
    best = next((rule for rule in mays if rule.rule.times is None), mays[0])
    if len(mays) == 1:
        return best.alone
    return Answer(strictness=ALLOW, reasons=(best.allowed,), considered=_beaten([rule for rule in mays if rule is not best]))
