"""Registries of skills: the one `_registry.yaml`, and the later ones of one domain each with their `_index.yaml`."""

from typing import Any

from remit.plan.lenient import read_yaml
from remit.plan.library import Domain, Offer
from remit.plan.loading.said import Said, depends, first_text, keywords
from remit.plan.loading.taking import share, table, text, texts, truth, whole
from remit.plan.skill import Noted
from remit.value import Value


class Registry(Value, frozen=True, kw_only=True):
    """What one registry says. `files` are other registries that it names."""

    version: str = ""
    said: tuple[Said, ...] = ()
    offers: tuple[Offer, ...] = ()
    domains: tuple[Domain, ...] = ()
    files: tuple[str, ...] = ()


def read_registry(text_of: str, *, file: str) -> tuple[Registry, tuple[Noted, ...]]:
    """Its skills, blueprints and domains. Never raises; what is not understood is left out and said."""
    found, noted = read_yaml(text_of, file=file)
    if not isinstance(found, dict):
        wrong = Noted(
            code="REGISTRY", severity="error", file=file, message="not a registry: there are no keys", hint="write `skills:`"
        )
        return Registry(), (*noted, wrong)
    own = text(found.get("domain"))
    skills = table(found.get("skills"))
    odd = [name for name, entry in skills.items() if not isinstance(entry, dict)]
    said = tuple(_said(name, entry, own, file) for name, entry in skills.items() if isinstance(entry, dict))
    fields = {**table(found.get("categories")), **table(found.get("domains"))}
    domains = [_domain(name, entry, file) for name, entry in fields.items()]
    if own:
        domains.append(_domain(own, found, file))
    blueprints = table(found.get("blueprints"))
    registry = Registry(
        version=first_text(found, "registry_version", "version"),
        said=said,
        offers=tuple(_offer(name, table(entry), own, file) for name, entry in blueprints.items()),
        domains=tuple(domains),
        files=tuple(dict.fromkeys(_files(fields, found))),
    )
    return registry, (*noted, *(_odd(name, file) for name in odd))


def _odd(name: str, file: str) -> Noted:
    message = f"the entry of `{name}` is not a set of keys, so it says nothing"
    return Noted(code="REGISTRY-ENTRY", severity="warning", file=file, message=message)


def _said(name: str, entry: dict[str, Any], domain: str, file: str) -> Said:
    group = whole(entry.get("parallel_group"), -1)
    priority = whole(entry.get("priority"), -1)
    return Said(
        name=name,
        source=file,
        invocation=text(entry.get("invocation")),
        domain=domain or first_text(entry, "domain", "category"),
        priority=priority if priority >= 0 else None,
        group=group if group >= 0 else None,
        required=truth(entry.get("required")),
        keywords=keywords(entry.get("keywords")),
        depends=depends(entry.get("dependencies", entry.get("depends_on"))),
        provides=texts(entry.get("provides")),
        tokens=max(0, whole(entry.get("estimate_tokens"), 0)),
    )


def _offer(name: str, entry: dict[str, Any], domain: str, file: str) -> Offer:
    return Offer(
        name=name,
        description=text(entry.get("description")),
        domain=first_text(entry, "category", "domain") or domain,
        keywords=keywords(entry.get("triggers", entry.get("keywords"))),
        chain=texts(entry.get("skill_chain", entry.get("skills"))),
        confidence=share(entry.get("confidence_threshold"), 0.7),
        questions=max(0, whole(entry.get("quick_questions"), 0)),
        time=text(entry.get("estimated_time")),
        file=text(entry.get("file")),
        source=file,
    )


def _domain(name: str, value: Any, file: str) -> Domain:
    entry = table(value)
    words = entry.get("triggers", entry.get("keywords"))
    inner = table(words).get("domain_triggers") if isinstance(words, dict) else None
    return Domain(
        name=name,
        description=text(entry.get("description")),
        keywords=keywords(inner if inner is not None else words),
        tools=texts(entry.get("default_tools")),
        sources=(file,),
    )


def _files(fields: dict[str, Any], found: dict[str, Any]) -> list[str]:
    named = [first_text(table(entry), "file", "registry", "path") for entry in fields.values()]
    return [each for each in (*named, *texts(found.get("registries"))) if each]
