"""Proof on the repository these files come from. Set REMIT_SKILL_REPO and REMIT_SKILL_LATER to unpacked copies to run it."""

import os
from pathlib import Path

import pytest

from remit.plan.blueprint import Blueprint
from remit.plan.blueprints.reading import read_blueprint
from remit.plan.skill import Noted
from remit.plan.wanted import flags_of, wanted

CHAINS = {
    "dashboard": [
        ["theming-components", "designing-layouts", "creating-dashboards", "visualizing-data", "[building-tables]",
         "providing-feedback", "assembling-components"],
    ],
    "crud-api": [["api-patterns", "databases-relational", "auth-security", "[observability]", "[deploying-applications]"]],
    "rag-pipeline": [
        ["ingesting-data", "databases-vector", "ai-data-engineering", "api-patterns", "[model-serving]", "[auth-security]",
         "[observability]"],
        ["theming-components", "building-ai-chat", "building-forms", "api-patterns", "databases-vector", "ai-data-engineering",
         "[model-serving]", "[auth-security]", "assembling-components"],
    ],
    "k8s": [
        ["configuring-kubernetes", "managing-containers", "configuring-nginx", "building-ci-pipelines", "implementing-observability",
         "hardening-security", "[managing-databases]", "assembling-infrastructure"],
    ],
    "security": [
        ["hardening-security", "implementing-auth-security", "managing-secrets", "implementing-siem", "building-ci-pipelines",
         "configuring-networking", "documenting-compliance"],
    ],
    "api-first": [
        ["designing-apis", "implementing-auth-security", "designing-databases-relational", "testing-strategies",
         "implementing-observability", "[building-clis]"],
    ],
    "data-pipeline": [
        ["designing-databases-relational", "streaming-data", "optimizing-sql", "testing-strategies", "implementing-observability",
         "writing-documentation"],
    ],
    "ml-pipeline": [
        ["implementing-mlops", "engineering-ai-data", "managing-experiments", "serving-models", "[designing-databases-vector]",
         "implementing-observability", "assembling-components"],
    ],
    "ci-cd": [
        ["building-ci-pipelines", "testing-strategies", "managing-containers", "implementing-gitops", "hardening-security",
         "implementing-observability"],
    ],
    "cloud": [
        ["provisioning-terraform", "deploying-aws|deploying-gcp|deploying-azure", "implementing-observability", "hardening-security",
         "optimizing-finops", "assembling-infrastructure"],
    ],
    "observability": [
        ["implementing-observability", "creating-dashboards", "implementing-siem", "building-ci-pipelines",
         "[configuring-kubernetes]"],
    ],
    "cost": [["theming-components", "tagging-resources", "implementing-observability", "creating-dashboards", "assembling-components"]],
}  # fmt: skip
FIRST = ("crud-api", "dashboard", "rag-pipeline")
COUNTS = {"dashboard": 26, "crud-api": 28, "rag-pipeline": 24, "k8s": 23, "security": 19}


def found(variable: str, name: str) -> tuple[Blueprint, tuple[Noted, ...]]:
    place = os.environ.get(variable)
    if not place:
        pytest.skip(f"{variable} is not set to a copy of the repository")
    files = [file for file in sorted(Path(place).rglob(f"blueprints/{name}.md")) if "pages" not in file.parts]
    if not files:
        pytest.skip(f"there is no blueprints/{name}.md below {variable}")
    return read_blueprint(files[-1].read_text(), name=name, file=f"{name}.md")


def later(name: str) -> tuple[Blueprint, tuple[Noted, ...]]:
    return found("REMIT_SKILL_LATER", name)


def shown(blueprint: Blueprint) -> list[list[str]]:
    return [
        [("[{}]" if slot.optional else "{}").format("|".join((slot.name, *slot.instead))) for slot in pattern.slots]
        for pattern in blueprint.patterns
    ]


@pytest.mark.parametrize("name", FIRST)
def test_every_slot_of_the_first_blueprints_is_read(name: str) -> None:
    blueprint, noted = found("REMIT_SKILL_REPO", name)
    assert shown(blueprint) == CHAINS[name]
    assert blueprint.settings
    assert all(question.default for question in blueprint.questions)
    assert [each for each in noted if each.severity != "note"] == []


@pytest.mark.parametrize("name", CHAINS)
def test_every_slot_of_the_later_blueprints_is_read(name: str) -> None:
    blueprint, noted = later(name)
    assert shown(blueprint) == CHAINS[name]
    assert (bool(blueprint.title), bool(blueprint.version), bool(blueprint.tree)) == (True, True, True)
    assert len(blueprint.questions) in (3, 4)
    assert blueprint.keywords.primary
    assert [each for each in noted if each.severity == "error"] == []


def test_all_slots_of_all_chains_are_eighty_four() -> None:
    assert sum(len(chain) for chains in CHAINS.values() for chain in chains) == 84
    assert sum(len(chains) for chains in CHAINS.values()) == 13


@pytest.mark.parametrize("name", COUNTS)
def test_every_deliverable_of_the_manifests_is_read(name: str) -> None:
    blueprint, _ = later(name)
    assert len(blueprint.wanted) == COUNTS[name]
    owed = [each.deliverable for each in blueprint.wanted]
    assert all(each.by and (each.files or each.either) and each.contains for each in owed)
    assert {"starter", "intermediate", "advanced"} <= {each.name for each in blueprint.profiles}


def test_the_dashboard_grows_with_maturity() -> None:
    blueprint, _ = later("dashboard")
    levels = {level: len(wanted(blueprint, maturity=level, answers={})[0]) for level in ("starter", "intermediate", "advanced")}
    assert levels == {"starter": 11, "intermediate": 22, "advanced": 26}
    assert [order.skill for order in blueprint.orders if order.last] == ["assembling-components"]
    assert len(blueprint.orders) == 7


def test_the_answers_of_the_rag_pipeline_decide_what_it_owes() -> None:
    blueprint, _ = later("rag-pipeline")
    assert [(pattern.name, pattern.default) for pattern in blueprint.patterns] == [
        ("Pure Backend", True),
        ("With Chat UI", False),
    ]
    asked = {each.name for each in wanted(blueprint, maturity="advanced", answers={"Q3": "A", "Q4": "C"})[0]}
    plain = {each.name for each in wanted(blueprint, maturity="advanced", answers={})[0]}
    assert (len(asked), len(plain)) == (24, 21)
    assert asked - plain == {
        "LLM serving configuration (if self-hosted)",
        "Chat UI components (if UI included)",
        "Source citation display (if UI included)",
    }


def test_the_crud_api_can_be_complete_in_one_language() -> None:
    blueprint, noted = later("crud-api")
    assert [each.deliverable.either for each in blueprint.wanted if each.deliverable.either] == [
        (("alembic.ini", "drizzle.config.ts"),)
    ]
    assert {"LANGUAGES", "DOUBLED-BACKSLASH"} <= {each.code for each in noted}
    assert flags_of(blueprint) == ("auth_enabled", "deployment_enabled", "monitoring_enabled")
    every = dict.fromkeys(flags_of(blueprint), True)
    assert len(wanted(blueprint, maturity="advanced", answers={}, flags=every)[0]) == 28
    assert "UNDECIDED" not in [each.code for each in wanted(blueprint, maturity="starter", answers={})[3]], "its extras decide"


def test_the_starter_of_kubernetes_contradicts_itself_and_the_profile_stands() -> None:
    blueprint, noted = later("k8s")
    assert {"PROFILE-CONFLICT", "DOUBLED-BACKSLASH"} <= {each.code for each in noted}
    assert "Multi-stage Dockerfile" in [each.name for each in wanted(blueprint, maturity="starter", answers={})[0]]


def test_the_security_lines_are_read_to_be_shown() -> None:
    blueprint, _ = later("security")
    assert [check.severity for check in blueprint.security] == ["critical"] * 4 + ["warnings"] * 3 + ["informational"] * 2
