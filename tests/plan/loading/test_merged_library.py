"""Many files, one library: who said what, what contradicts, what names no skill."""

from remit.plan.blueprint import Blueprint
from remit.plan.library import Library, Plugin
from remit.plan.loading.merging import Pieces, merge
from remit.plan.loading.registry import read_registry
from remit.plan.loading.skill_graph import read_graph
from remit.plan.skill import Depends, Skill

MAPS = Skill(name="folding-maps", folder="/p/skills/folding-maps", digest="1", sources=("maps/SKILL.md",))
BOOKS = Skill(name="binding-books", folder="/p/skills/binding-books", digest="2", sources=("books/SKILL.md",))
LAST = Skill(name="finishing", folder="/p/skills/finishing", digest="3", sources=("last/SKILL.md",))
PAPER = Plugin(name="paper-skills", root="/p", skills=(MAPS.folder, BOOKS.folder, LAST.folder), file="marketplace.json")


def merged(registry: str = "", graph: str = "", skills: tuple[Skill, ...] = (MAPS, BOOKS, LAST), **more: object) -> Library:
    return merge(
        Pieces(
            skills=skills,
            plugins=(PAPER,),
            registries=[("r.yaml", read_registry(registry, file="r.yaml")[0])] if registry else [],
            graphs=[("g.yaml", read_graph(graph, file="g.yaml")[0])] if graph else [],
            **more,
        )
    )


def skill(library: Library, name: str) -> Skill:
    found = library.skill(name)
    assert found is not None
    return found


def said(library: Library) -> list[tuple[str, str]]:
    return [(each.code, each.file) for each in library.noted]


def test_a_skill_knows_every_file_that_spoke_of_it() -> None:
    library = merged(
        "skills: {folding-maps: {category: paper, priority: 2}}", "skills: {folding-maps: {tier: one, provides: [folds]}}"
    )
    found = skill(library, "folding-maps")
    assert found.sources == ("maps/SKILL.md", "r.yaml", "g.yaml")
    assert (found.domain, found.priority, found.tier, found.provides) == ("paper", 2, "one", ("folds",))
    assert found.invocation == "paper-skills:folding-maps"
    assert library.noted == ()


def test_of_two_files_that_contradict_the_first_counts_and_it_is_said() -> None:
    library = merged("skills: {folding-maps: {category: paper}}", "skills: {folding-maps: {domain: print}}")
    assert skill(library, "folding-maps").domain == "paper"
    assert [(each.code, each.message) for each in library.noted] == [
        ("CONFLICT", "`folding-maps`: domain is print, but paper in r.yaml; that one counts"),
    ]


def test_a_renamed_plugin_group_is_found_under_both_names_and_the_marketplace_counts() -> None:
    library = merged(
        'skills: {folding-maps: {invocation: "print-skills:folding-maps"}}',
        'skills: {folding-maps: {invocation: "old-skills:maps"}}',
    )
    assert skill(library, "folding-maps").invocation == "paper-skills:folding-maps"
    assert library.resolve("print-skills:folding-maps").skill == "folding-maps"
    assert library.resolve("old-skills:maps").skill == "folding-maps"
    assert library.resolve("new-skills:folding-maps").skill == ""
    assert said(library) == [("INVOCATION-OTHER", "r.yaml"), ("INVOCATION-OTHER", "g.yaml")]


def test_an_invocation_of_another_skill_is_not_taken_over() -> None:
    library = merged('skills: {folding-maps: {invocation: "paper-skills:binding-books"}}')
    assert library.resolve("paper-skills:binding-books").skill == "binding-books"
    assert said(library) == [("CONFLICT", "r.yaml")]


def test_without_a_marketplace_the_first_file_that_names_an_invocation_counts() -> None:
    library = merge(
        Pieces(
            skills=(MAPS,),
            registries=[("r.yaml", read_registry("skills: {folding-maps: {invocation: 'a:maps'}}", file="r.yaml")[0])],
        )
    )
    assert skill(library, "folding-maps").invocation == "a:maps"


def test_what_depends_on_everything_comes_last() -> None:
    found = skill(merged("skills: {finishing: {dependencies: ['*']}}"), "finishing").depends
    assert (found.hard, found.last) == (("*",), True)


def test_the_strongest_word_on_a_dependency_counts() -> None:
    library = merged(
        "skills: {finishing: {dependencies: [folding-maps]}}",
        "skills: {finishing: {depends_on: {soft: [folding-maps, binding-books], optional: [binding-books], requires_any: [folding-maps, binding-books]}}}",
    )
    assert skill(library, "finishing").depends == Depends(
        hard=("folding-maps",), soft=("binding-books",), any_of=(("folding-maps", "binding-books"),)
    )


def test_required_by_is_a_soft_word_from_the_other_end() -> None:
    library = merged("", "skills: {folding-maps: {required_by: [binding-books, sewing-sails]}}")
    assert skill(library, "binding-books").depends.soft == ("folding-maps",)
    assert [(each.code, each.file) for each in library.noted] == [("UNKNOWN-SKILL", "g.yaml")]


def test_a_skill_never_waits_for_itself() -> None:
    library = merged("skills: {folding-maps: {dependencies: [folding-maps, binding-books]}}")
    assert skill(library, "folding-maps").depends.hard == ("binding-books",)
    assert said(library) == [("SELF", "r.yaml")]


def test_a_name_without_a_skill_is_said_once_for_each_file_with_what_comes_near() -> None:
    library = merged(
        "skills:\n  folding-map: {dependencies: [bindng-books]}\n  finishing: {dependencies: [bindng-books]}\nblueprints: {atlas: {skill_chain: [bindng-books]}}\n",
        "patterns: {small: [bindng-books]}\ndomain_rules: {paper: {always_start_with: sawing-wood}}\n",
    )
    assert [(each.code, each.file, each.message, each.hint) for each in library.noted] == [
        ("UNKNOWN-SKILL", "r.yaml", "there is no skill `folding-map`", "near it: `folding-maps`"),
        ("UNKNOWN-SKILL", "r.yaml", "there is no skill `bindng-books`", "near it: `binding-books`"),
        ("UNKNOWN-SKILL", "g.yaml", "there is no skill `sawing-wood`", "nothing comes near it"),
        ("UNKNOWN-SKILL", "g.yaml", "there is no skill `bindng-books`", "near it: `binding-books`"),
    ]
    assert skill(library, "finishing").depends.hard == ("bindng-books",)


def test_an_alias_that_is_taken_or_that_could_mean_several_is_said() -> None:
    library = merged(
        "skills: {maps: {priority: 1}, paper: {priority: 1}}",
        aliases=[("maps", ("folding-maps",)), ("paper", ("folding-maps", "binding-books"))],
    )
    assert skill(library, "folding-maps").priority == 1
    assert [each.message for each in library.noted] == [
        "`maps` is taken for `folding-maps`, by the table of aliases",
        "`paper` could be `folding-maps` or `binding-books`",
    ]


def test_a_registry_without_any_skill_says_nothing_of_names_it_cannot_know() -> None:
    assert merge(Pieces(registries=[("r.yaml", read_registry("skills: {a: {dependencies: [b]}}", file="r.yaml")[0])])).noted == ()


def test_of_two_skills_with_one_name_the_first_stays() -> None:
    second = Skill(name="folding-maps", folder="/q/folding-maps", digest="9", sources=("q/SKILL.md",))
    library = merged(skills=(MAPS, second))
    assert [each.folder for each in library.skills] == [MAPS.folder]
    assert said(library) == [
        ("PLUGIN-SKILL", "marketplace.json"),
        ("PLUGIN-SKILL", "marketplace.json"),
        ("NAME-TWICE", "q/SKILL.md"),
    ]


def test_a_second_skill_of_another_plugin_goes_by_its_invocation() -> None:
    second = Skill(name="folding-maps", folder="/q/folding-maps", digest="9", sources=("q/SKILL.md",))
    library = merge(
        Pieces(
            skills=(MAPS, second), plugins=(Plugin(name="a", skills=(MAPS.folder,)), Plugin(name="b", skills=(second.folder,)))
        )
    )
    assert [each.name for each in library.skills] == ["folding-maps", "b:folding-maps"]
    assert library.resolve("b:folding-maps").skill == "b:folding-maps"
    assert library.resolve("a:folding-maps").skill == "folding-maps"


def test_of_two_blueprints_with_one_name_the_first_stays() -> None:
    library = merged(blueprints=(Blueprint(name="atlas", source="a.md"), Blueprint(name="atlas", source="b.md")))
    assert [each.source for each in library.blueprints] == ["a.md"]
    assert said(library) == [("BLUEPRINT-TWICE", "b.md")]


def test_what_several_files_say_of_a_domain_is_put_together() -> None:
    library = merged(
        "categories: {paper: {description: of paper, default_tools: [Read]}}",
        "domain_rules: {paper: {always_end_with: finishing, description: other}}",
    )
    (domain,) = library.domains
    assert (domain.description, domain.last, domain.tools, domain.sources) == (
        "of paper",
        ("finishing",),
        ("Read",),
        ("r.yaml", "g.yaml"),
    )


def test_thousands_of_names_that_find_nothing_are_counted_and_do_not_take_forever() -> None:
    names = ", ".join(f"x{at}" for at in range(1900))
    library = merged(f"skills: {{finishing: {{dependencies: [{names}]}}}}")
    assert len(library.noted) == 201
    assert library.noted[-1].message == "1700 more names find no skill"
