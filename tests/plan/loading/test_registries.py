"""Registries, graphs and outputs: every trap that real ones hold, in words of our own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.plan.library import Domain, NamedChain, Offer
from remit.plan.loading.outputs import read_outputs
from remit.plan.loading.registry import read_registry
from remit.plan.loading.said import Said
from remit.plan.loading.skill_graph import read_graph
from remit.plan.loading.taking import share
from remit.plan.skill import Depends, Keywords, Output

ROOT = """\
registry_version: "2.1.0"   # newer than version
version: "2.0.0"
last_updated: "2026-01-02"
metrics:
  reduction_percentage: 78%
categories:
  paper: {description: "things of paper", default_tools: ["Read", "Bash"]}
blueprints:
  atlas:
    description: An atlas
    category: paper
    confidence_threshold: 0.7
    triggers: {primary: [atlas, map book], secondary: [charts]}
    skill_chain:
      - folding-maps
      - binding-books  # optional
    quick_questions: 3
    estimated_time: "5 minutes"
    file: "{SKILLCHAIN_DIR}/blueprints/atlas.md"
skills:
  folding-maps:
    category: paper
    group: foundation
    priority: 1
    parallel_group: 2  # added by a machine
    required: true
    keywords: {primary: [map, fold], secondary: [chart], exclusions: [api], requires_any: [paper]}
    invocation: "paper-skills:folding-maps"
    dependencies: []
    questions: {source: "skill", section: "## Skillchain Configuration"}
    estimate_tokens: 200
    version: "1.0.0"
  finishing:
    category: paper
    priority: 99
    dependencies: ["*"]
    invocation: "paper-skills:finishing"
  broken-entry: just a text
"""

FIELD = """\
domain: stone
plugin_group: stone-skills
description: "Walls"
default_tools: [Read]
keywords:
  domain_triggers: {primary: [wall], secondary: [stone]}
skills:
  laying-stones:
    category: masonry
    priority: "10"
    parallel_group: 1
    required: no
    keywords: [brick, wall]
    dependencies: [mixing-mortar]
    estimate_tokens: 450
"""

GRAPH = """\
version: "1.0"
tiers:
  foundation: {order: 1, execute_first: true}
  component: {order: 2}
  assembly: {order: 4, execute_last: true}
skills:
  folding-maps:
    tier: foundation
    domain: paper
    invocation: "paper-skills:folding-maps"
    provides: [folds]
    required_by: [binding-books, no-such-skill]
  binding-books:
    tier: component
    depends_on: {soft: [folding-maps], optional: [drawing-lines]}
  finishing:
    tier: assemblage
    depends_on:
      requires_any: [binding-books, drawing-lines]
domain_rules:
  paper: {always_start_with: folding-maps, always_end_with: finishing, description: first fold}
  stone: {optional_start_with: mixing-mortar, optional_end_with: pointing-walls}
  wood: {typical_start: sawing}
patterns:
  small: {skills: [folding-maps, finishing], description: a small one}
  bare: [folding-maps]
"""


def test_a_registry_says_all_of_this() -> None:
    found, noted = read_registry(ROOT, file="_registry.yaml")
    assert [each.code for each in noted] == ["REGISTRY-ENTRY"]
    assert found.version == "2.1.0"
    assert found.said == (
        Said(
            name="folding-maps", source="_registry.yaml", invocation="paper-skills:folding-maps", domain="paper", priority=1, group=2, required=True,
            keywords=Keywords(primary=("map", "fold"), secondary=("chart",), exclusions=("api",), requires_any=("paper",)), tokens=200,
        ),
        Said(name="finishing", source="_registry.yaml", invocation="paper-skills:finishing", domain="paper", priority=99, depends=Depends(hard=("*",), last=True)),
    )  # fmt: skip
    assert found.offers == (
        Offer(
            name="atlas", description="An atlas", domain="paper", keywords=Keywords(primary=("atlas", "map book"), secondary=("charts",)),
            chain=("folding-maps", "binding-books"), questions=3, time="5 minutes", file="{SKILLCHAIN_DIR}/blueprints/atlas.md", source="_registry.yaml",
        ),
    )  # fmt: skip
    assert found.domains == (
        Domain(name="paper", description="things of paper", tools=("Read", "Bash"), sources=("_registry.yaml",)),
    )


def test_the_registry_of_a_domain_gives_its_domain_to_every_skill() -> None:
    found, noted = read_registry(FIELD, file="stone.yaml")
    assert noted == ()
    (said,) = found.said
    assert (said.domain, said.priority, said.required, said.keywords.primary) == ("stone", 10, False, ("brick", "wall"))
    assert (said.depends, said.tokens) == (Depends(hard=("mixing-mortar",)), 450)
    assert found.domains == (
        Domain(
            name="stone",
            description="Walls",
            keywords=Keywords(primary=("wall",), secondary=("stone",)),
            tools=("Read",),
            sources=("stone.yaml",),
        ),
    )


def test_an_index_names_the_registries_of_domains() -> None:
    text = "domains:\n  stone: {file: stone.yaml, description: Walls, triggers: {primary: [wall]}}\n  wood: wood.yaml\nregistries: [paper.yaml]\n"
    found, _ = read_registry(text, file="_index.yaml")
    assert found.files == ("stone.yaml", "paper.yaml")
    assert [(each.name, each.keywords.primary) for each in found.domains] == [("stone", ("wall",)), ("wood", ())]


def test_skills_as_a_list_of_names_or_of_entries_are_read() -> None:
    found, noted = read_registry("skills:\n  - {name: one, priority: 3}\n  - two\n", file="_registry.yaml")
    assert [(each.name, each.priority) for each in found.said] == [("two", None), ("one", 3)]
    assert noted == ()


def test_a_registry_with_one_broken_line_loses_only_that_value() -> None:
    found, noted = read_registry(ROOT.replace("An atlas", "An atlas: of maps"), file="_registry.yaml")
    assert found.offers[0].description == "An atlas: of maps"
    assert len(found.said) == 2
    assert noted[0].code == "YAML"


@pytest.mark.parametrize(
    ("said", "found"),
    [("78%", 0.78), (70, 0.7), (0.7, 0.7), ("0.5", 0.5), ("much", 0.1), ("nan", 0.1), (True, 0.1), ("900%", 0.1)],
)
def test_a_share_is_written_in_many_ways(said: object, found: float) -> None:
    assert share(said, 0.1) == pytest.approx(found)


def test_a_graph_says_all_of_this() -> None:
    found, noted = read_graph(GRAPH, file="skill-graph.yaml")
    assert [each.code for each in noted] == ["UNKNOWN-TIER"]
    assert found.tiers == (("foundation", 1), ("component", 2), ("assembly", 4))
    maps, books, finishing = found.said
    assert (maps.before, maps.provides, maps.tier) == (("binding-books", "no-such-skill"), ("folds",), "foundation")
    assert books.depends == Depends(soft=("folding-maps",), optional=("drawing-lines",))
    assert finishing.depends == Depends(any_of=(("binding-books", "drawing-lines"),))
    paper, stone, wood = found.domains
    assert (paper.first, paper.last) == (("folding-maps",), ("finishing",))
    assert (stone.first, stone.last, stone.optional) == ((), (), ("mixing-mortar", "pointing-walls"))
    assert wood.optional == ("sawing",)
    assert found.patterns == (
        NamedChain(name="small", skills=("folding-maps", "finishing"), description="a small one", source="skill-graph.yaml"),
        NamedChain(name="bare", skills=("folding-maps",), source="skill-graph.yaml"),
    )


def test_several_groups_of_which_one_each_is_needed_are_kept_apart() -> None:
    found, _ = read_graph("skills: {x: {depends_on: {requires_any: [[a, b], [c]], requires: d}}}\n", file="g.yaml")
    assert found.said[0].depends == Depends(hard=("d",), any_of=(("a", "b"), ("c",)))


def test_outputs_are_paths_and_what_must_stand_in_them() -> None:
    text = (
        "base_outputs:\n  - path: maps/index.md\n    must_contain: ['^# ', north]\n  - maps/\n  - path: ../../etc/passwd\n"
        "  - {must_contain: [x]}\nstarter_outputs:\n  - path: more.md\n"
    )
    found, noted = read_outputs(text, file="outputs.yaml")
    assert found == (Output(path="maps/index.md", must_contain=("^# ", "north")), Output(path="maps/"))
    assert sorted(each.code for each in noted) == ["OUTPUTS", "OUTPUTS-LEFT", "OUTSIDE"]


@pytest.mark.parametrize(
    "text", ["", "[]", "7", "- x", "a: [", "skills: 7", "skills: [1, [2]]", "tiers: x\npatterns: 3\ndomain_rules: [a]"]
)
def test_what_is_neither_registry_nor_graph_says_nothing(text: str) -> None:
    assert read_registry(text, file="r.yaml")[0].said == ()
    assert read_graph(text, file="g.yaml")[0].said == ()


KEYS = st.sampled_from(["skills", "domains", "domain", "tiers", "patterns", "domain_rules", "blueprints", "depends_on", "dependencies", "keywords", "primary", "triggers",
                        "requires_any", "required_by", "priority", "x", "base_outputs", "path", "must_contain", "order", "registries", "domain_triggers"])  # fmt: skip
TREE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["*", "a", "78%", "", "../x"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(st.text() | st.dictionaries(KEYS, TREE).map(str))
@settings(max_examples=400, deadline=None)
def test_no_text_makes_any_of_them_raise(text: str) -> None:
    read_registry(text, file="r.yaml")
    read_graph(text, file="g.yaml")
    read_outputs(text, file="o.yaml")
