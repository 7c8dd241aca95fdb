"""The steps of a chain file: exactly one of `skill`, `prompt`, `run`, `person`, `chain`, what they need, and what bounds them."""

from collections.abc import Callable, Sequence
from typing import cast, get_args

from remit.contract.nodes import Node, Table
from remit.contract.nodes import Sequence as List
from remit.contract.parse_limits import parse_limits, parse_seconds
from remit.contract.parse_outcome import parse_paths, parse_success
from remit.contract.parse_rule import parse_argv, parse_rules
from remit.contract.reading import Reading, inside, said
from remit.contract.rule import Effect, Rule
from remit.plan.library import Library
from remit.plan.step import Kind, Pinned, Plan, Step

Inner = Callable[[Node, str, str], Plan | None]

KINDS: dict[str, Kind] = {"skill": "skill", "prompt": "prompt", "run": "command", "person": "person", "chain": "chain"}
NEEDS = ("after", "soft", "optional", "any of", "last")
BOUNDS = ("writes", "may", "ask", "never", "checks", "limits", "time")
KEYS = ("id", "title", *KINDS, "asks", "runtime", "command", "model", *NEEDS, "may skip", *BOUNDS, "settings", "why")
_ONLY: dict[str, tuple[str, ...]] = {"asks": ("person",), "settings": ("skill",), "command": ("skill", "prompt")}


def read_steps(reading: Reading, node: Node, where: str, library: Library, inner: Inner) -> tuple[Step, ...]:
    """The steps that are understood; ids are unique, and needs name steps of this chain."""
    found = [
        (step, item, path) for item, path in reading.items(node, where) if (step := _step(reading, item, path, library, inner))
    ]
    if isinstance(node, List) and not node.items:
        reading.wrong(node, where, "there are no steps", code="NO-STEPS", hint="begin each step with `- `")
    names = {step.id for step, _, _ in found}
    seen: set[str] = set()
    for step, item, path in found:
        if step.id in seen:
            hint = "give one of them an `id:` of its own"
            reading.wrong(item, path, f"two steps are called `{step.id}`", code="DUPLICATE-STEP", hint=hint)
        seen.add(step.id)
        _known(reading, item, path, step, names)
    return tuple(step for step, _, _ in found)


def _known(reading: Reading, node: Node, where: str, step: Step, names: set[str]) -> None:
    """Every name that a step needs is that of another step."""
    groups = {"after": step.after, "soft": step.soft, "optional": step.optional}
    asked = [(key, need) for key, needs in groups.items() for need in needs]
    asked += [("any of", need) for group in step.any_of for need in group]
    for key, need in asked:
        at = (node.get(key) if isinstance(node, Table) else None) or node
        if need == step.id:
            reading.wrong(at, inside(where, key), f"`{need}` cannot wait for itself", code="CYCLE", hint="take it out")
        elif need not in names:
            reading.unknown(at, inside(where, key), "step", need, sorted(names - {step.id}))


def _step(reading: Reading, node: Node, where: str, library: Library, inner: Inner) -> Step | None:
    table = reading.table(node, where, KEYS)
    if table is None:
        return None
    kinds = [key for key in KINDS if table.get(key) is not None]
    if len(kinds) != 1:
        what = f"{' and '.join(f'`{key}`' for key in kinds)} in one step" if kinds else "a step that does nothing"
        reading.wrong(node, where, what, code="NOT-A-STEP", hint=f"exactly one of {', '.join(KINDS)}")
        return None
    kind = kinds[0]
    for key, allowed in _ONLY.items():
        if table.get(key) is not None and kind not in allowed:
            hint = f"it belongs to a step with {' or '.join(f'`{each}`' for each in allowed)}"
            reading.wrong(table.get(key) or node, inside(where, key), f"`{key}` says nothing to a `{kind}` step", hint=hint)
    core = _core(reading, table, where, kind, library, inner)
    name = reading.text(table.get("id"), inside(where, "id")) or (core.id if core else "")
    if core is None:
        return Step(id=name) if name else None
    if not name:
        hint = "write `id:` with a short name, so that others can come `after` it"
        reading.wrong(node, where, f"the `{kind}` step has no name", code="NO-ID", hint=hint)
        return None
    reading.marks[f"step {name}"] = node.mark
    return _bounded(reading, table, where, core, name)


def _core(reading: Reading, table: Table, where: str, kind: str, library: Library, inner: Inner) -> Step | None:
    """What a step is. Its id is that of its skill or chain, where it has one."""
    node, place = table.get(kind), inside(where, kind)
    assert node is not None
    match kind:
        case "skill":
            return _skill(reading, node, place, library)
        case "run":
            argv = parse_argv(reading, node, place)
            return Step(id="", kind="command", command=argv) if argv else None
        case "person":
            person = reading.text(node, place)
            asks = reading.text(table.get("asks"), inside(where, "asks"))
            if person and not asks:
                reading.wrong(table, where, "nothing says what the person is asked", code="NO-ASKS", hint="write `asks:`")
            return Step(id="", kind="person", person=person, prompt=asks) if person and asks else None
        case "chain":
            name = reading.text(table.get("id"), inside(where, "id")) or "chain"
            plan = inner(node, place, name)
            return Step(id=plan.name, kind="chain", chain=plan) if plan else None
        case _:
            text = reading.text(node, place)
            return Step(id="", kind="prompt", prompt=text) if text else None


def _skill(reading: Reading, node: Node, where: str, library: Library) -> Step | None:
    asked = reading.text(node, where)
    if not asked:
        return None
    found = library.resolve(asked)
    skill = library.skill(found.skill) if found.skill else None
    if skill is None:
        near = found.candidates or found.nearest
        hint = f"did you mean `{'` or `'.join(near)}`?" if near else "nothing in the library is like it"
        reading.wrong(node, where, f"{said(node)} is the name of no skill here", code="UNRESOLVED", hint=hint)
        return None
    pinned = Pinned(name=skill.name, invocation=skill.invocation or skill.name, folder=skill.folder, digest=skill.digest)
    return Step(id=skill.name, kind="skill", skill=pinned)


def _bounded(reading: Reading, table: Table, where: str, core: Step, name: str) -> Step:
    """The step with what it needs, and what bounds it."""

    def at(key: str) -> Node | None:
        return table.get(key)

    def path(key: str) -> str:
        return inside(where, key)

    success, time, command = at("checks"), at("time"), at("command")
    return Step(
        id=name,
        kind=core.kind,
        title=reading.text(at("title"), path("title")),
        skill=core.skill,
        prompt=core.prompt,
        command=core.command or (parse_argv(reading, command, path("command")) if command is not None else ()),
        person=core.person,
        chain=core.chain,
        runtime=reading.text(at("runtime"), path("runtime")),
        model=reading.text(at("model"), path("model")),
        after=reading.texts(at("after"), path("after")),
        soft=reading.texts(at("soft"), path("soft")),
        optional=reading.texts(at("optional"), path("optional")),
        any_of=_groups(reading, at("any of"), path("any of")),
        last=bool(reading.truth(at("last"), path("last"))),
        may_skip=bool(reading.truth(at("may skip"), path("may skip"))),
        writes=parse_paths(reading, at("writes"), path("writes")),
        rules=_rules(reading, table, where),
        checks=parse_success(reading, success, path("checks")) if success is not None else (),
        limits=parse_limits(reading, at("limits"), path("limits")) if at("limits") is not None else None,
        time=parse_seconds(reading, time, path("time")) if time is not None else None,
        settings=reading.text(at("settings"), path("settings")),
        why=reading.text(at("why"), path("why")),
    )


def _groups(reading: Reading, node: Node | None, where: str) -> tuple[tuple[str, ...], ...]:
    """`any of: [a, b]` is one group, `any of: [[a, b], [c, d]]` two."""
    if node is None:
        return ()
    if isinstance(node, List) and any(isinstance(item, List) for item in node.items):
        return tuple(group for item, path in reading.items(node, where) if (group := reading.texts(item, path)))
    group = reading.texts(node, where)
    return (group,) if group else ()


def _rules(reading: Reading, table: Table, where: str) -> tuple[Rule, ...]:
    """In the order of the file."""
    effects: Sequence[str] = get_args(Effect)
    found = [(key.text, value) for key, value in table.pairs if key.text in effects]
    return tuple(rule for name, value in found for rule in parse_rules(reading, value, inside(where, name), cast(Effect, name)))
