"""`skill-graph.yaml`: layers, what each skill waits for, what a domain begins and ends with, chains that are often made."""

from typing import Any

from remit.plan.lenient import read_yaml
from remit.plan.library import Domain, NamedChain
from remit.plan.loading.said import Said, depends
from remit.plan.loading.taking import table, text, texts, whole
from remit.plan.skill import Noted
from remit.value import Value


class Graph(Value, frozen=True, kw_only=True):
    """What one skill graph says. `tiers` are layers with their numbers, lower first."""

    tiers: tuple[tuple[str, int], ...] = ()
    said: tuple[Said, ...] = ()
    domains: tuple[Domain, ...] = ()
    patterns: tuple[NamedChain, ...] = ()


def read_graph(text_of: str, *, file: str) -> tuple[Graph, tuple[Noted, ...]]:
    """Its tiers, skills, domain rules and patterns. Never raises. A skill in a tier that is not declared is a finding."""
    found, noted = read_yaml(text_of, file=file)
    if not isinstance(found, dict):
        wrong = Noted(
            code="GRAPH", severity="error", file=file, message="not a skill graph: there are no keys", hint="write `skills:`"
        )
        return Graph(), (*noted, wrong)
    tiers = tuple((name, _order(entry, at)) for at, (name, entry) in enumerate(table(found.get("tiers")).items(), 1))
    said = tuple(_said(name, table(entry), file) for name, entry in table(found.get("skills")).items())
    known = {name for name, _ in tiers}
    lost = [_lost(each, file) for each in said if tiers and each.tier and each.tier not in known]
    graph = Graph(
        tiers=tiers,
        said=said,
        domains=tuple(_domain(name, table(entry), file) for name, entry in table(found.get("domain_rules")).items()),
        patterns=tuple(_chain(name, entry, file) for name, entry in table(found.get("patterns")).items()),
    )
    return graph, (*noted, *lost)


def _lost(said: Said, file: str) -> Noted:
    message = f"`{said.name}` is in the tier `{said.tier}`, which is not among the tiers"
    return Noted(code="UNKNOWN-TIER", severity="warning", file=file, message=message)


def _order(entry: Any, at: int) -> int:
    return whole(entry.get("order") if isinstance(entry, dict) else entry, at)


def _said(name: str, entry: dict[str, Any], file: str) -> Said:
    return Said(
        name=name,
        source=file,
        invocation=text(entry.get("invocation")),
        domain=text(entry.get("domain")),
        tier=text(entry.get("tier")),
        depends=depends(entry.get("depends_on", entry.get("dependencies"))),
        before=texts(entry.get("required_by")),
        provides=texts(entry.get("provides")),
    )


def _domain(name: str, entry: dict[str, Any], file: str) -> Domain:
    """`always_start_with` and `always_end_with` bind; whatever else starts or ends is only usual."""
    usual = [key for key in entry if key.startswith(("optional", "typical"))]
    return Domain(
        name=name,
        description=text(entry.get("description")),
        first=texts(entry.get("always_start_with")),
        last=texts(entry.get("always_end_with")),
        optional=texts([each for key in usual for each in texts(entry[key])]),
        sources=(file,),
    )


def _chain(name: str, entry: Any, file: str) -> NamedChain:
    skills = texts(entry.get("skills")) if isinstance(entry, dict) else texts(entry)
    description = text(entry.get("description")) if isinstance(entry, dict) else ""
    return NamedChain(name=name, skills=skills, description=description, source=file)
