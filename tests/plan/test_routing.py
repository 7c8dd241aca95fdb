"""From a goal to a blueprint and skills: the scores, their reasons, and when a person must say more or less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.plan.blueprint import Blueprint, Pattern, Slot
from remit.plan.library import Domain, Library, Offer
from remit.plan.routing import across, route
from remit.plan.scoring import matched, sure
from remit.plan.skill import Depends, Keywords, Skill
from remit.plan.words import holds, stem, stems

SKILLS = (
    Skill(name="choosing-colours", domain="frontend", required=True, priority=1, keywords=Keywords(primary=("colour", "theme"))),
    Skill(name="drawing-charts", domain="frontend", priority=5, keywords=Keywords(primary=("chart", "graph"), secondary=("line", "bar")),
          depends=Depends(hard=("choosing-colours",))),
    Skill(name="joining-parts", domain="frontend", priority=99, depends=Depends(last=True), keywords=Keywords(primary=("assembly",))),
    Skill(name="keeping-records", domain="backend", priority=10, keywords=Keywords(primary=("database",), secondary=("postgres",), exclusions=("spreadsheet",))),
    Skill(name="guarding-doors", domain="backend", priority=8, keywords=Keywords(primary=("login",), requires_any=("api", "database"))),
    Skill(name="brewing-tea", domain="kitchen", description="Brews green tea and black tea with a kettle."),
    Skill(name="baking-bread", domain="kitchen", description="Bakes sourdough loaves overnight."),
    Skill(name="sharpening-knives", domain="workshop", description="Sharpens blades on a whetstone."),
)  # fmt: skip
SHOW = Blueprint(
    name="show",
    category="frontend",
    keywords=Keywords(primary=("dashboard", "metrics"), secondary=("overview",)),
    patterns=(
        Pattern(
            name="p",
            slots=(Slot(name="choosing-colours"), Slot(name="drawing-charts"), Slot(name="joining-parts", optional=True)),
        ),
    ),
)
STORE = Blueprint(
    name="store",
    keywords=Keywords(primary=("record store",)),
    patterns=(Pattern(name="p", slots=(Slot(name="keeping-records"),)),),
)
LIBRARY = Library(
    skills=SKILLS,
    blueprints=(SHOW, STORE),
    domains=(Domain(name="frontend", first=("choosing-colours",), last=("joining-parts",)),),
)


def test_a_primary_word_makes_ten_points_a_secondary_five_and_the_reasons_say_so() -> None:
    found = route("A bar chart and a line chart", LIBRARY)
    (score,) = [each for each in found.scores if each.name == "drawing-charts"]
    assert (score.score, score.words) == (20, ("chart", "line", "bar"))
    assert "drawing-charts, 20 points: chart, line, bar" in found.reasons


def test_an_exclusion_makes_nothing_of_any_score() -> None:
    found = route("A database like a spreadsheet", LIBRARY)
    assert "keeping-records" not in found.skills
    assert next(each for each in found.scores if each.name == "keeping-records").why == "`spreadsheet` rules it out"


def test_a_skill_that_requires_a_word_scores_nothing_without_it() -> None:
    assert "guarding-doors" not in route("A login", LIBRARY).skills
    assert "guarding-doors" in route("A login over a database", LIBRARY).skills


def test_without_keywords_the_name_and_rare_words_of_the_description_speak() -> None:
    assert route("Please do some tea brewing", LIBRARY).skills == ("brewing-tea",)
    assert route("Sourdough loaves for everyone", LIBRARY).skills == () and route("Something", LIBRARY).ask == "goal"


def test_what_is_found_brings_what_it_depends_on_and_what_its_domain_always_needs() -> None:
    found = route("A chart", LIBRARY)
    assert found.blueprint == "" and found.skills == ("choosing-colours", "drawing-charts", "joining-parts")
    assert any("added" in each for each in found.reasons)


@pytest.mark.parametrize(
    ("goal", "blueprint", "confidence"),
    [
        ("A dashboard", "show", 0.7),
        ("A dashboard of metrics", "show", 0.91),
        ("An overview", "", 0.0),
        ("An overview with a chart", "", 0.0),
        ("A record store", "store", 0.7),
    ],
)
def test_a_blueprint_is_offered_from_its_confidence_on(goal: str, blueprint: str, confidence: float) -> None:
    found = route(goal, LIBRARY)
    assert (found.blueprint, found.confidence) == (blueprint, confidence)


def test_an_offered_blueprint_brings_its_chain_and_says_what_is_optional_and_why() -> None:
    found = route("A dashboard of metrics", LIBRARY)
    assert found.skills == ("choosing-colours", "drawing-charts", "joining-parts") and found.optional == ("joining-parts",)
    assert found.category == "frontend" and found.reasons[0] == "blueprint show, 20 points, 91% sure: dashboard, metrics"


def test_strong_skills_besides_the_chain_are_proposed_with_it() -> None:
    found = route("A dashboard over a Postgres database with database login", LIBRARY)
    assert found.blueprint == "show" and found.besides == () and found.confidence == 0.7
    more = Library(skills=(*SKILLS, Skill(name="minding-hens", keywords=Keywords(primary=("hen", "egg")))), blueprints=(SHOW,))
    assert route("A dashboard of hens and eggs", more).besides == ("minding-hens",)


def test_a_registry_sets_the_confidence_and_adds_words() -> None:
    offer = Offer(name="store", keywords=Keywords(primary=("ledger",)), confidence=0.95)
    strict = Library(skills=SKILLS, blueprints=(STORE,), offers=(offer,))
    assert route("A record store", strict).blueprint == ""
    assert route("A record store with a ledger, a database and postgres", strict).blueprint == ""
    assert next(each for each in route("A ledger", strict).blueprints).words == ("ledger",)


def test_four_domains_are_too_many_without_a_blueprint() -> None:
    found = route("A chart, a database, some tea brewing and knives sharpening", LIBRARY)
    assert found.ask == "narrow" and len(found.domains) == 4 and found.category == "multi-domain"


@pytest.mark.parametrize(
    ("domains", "said"),
    [
        ((), ""),
        (("data",), "data"),
        (("backend", "frontend"), "fullstack"),
        (("backend", "data"), "multi-domain"),
        (("a", "b", "c"), "multi-domain"),
    ],
)
def test_domains_have_one_name_together(domains: tuple[str, ...], said: str) -> None:
    assert across(domains) == said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("deploys", "deploying"), ("deploy", "deployment"), ("containers", "Docker"), ("K8s", "Kubernetes"), ("Postgres", "PostgreSQL"),
        ("CI/CD", "continuous integration"), ("zero-trust", "zero trust"), ("a login", "authentication"), ("SOC 2", "soc2"),
        ("optimising", "optimization"), ("infrastructure as code", "IaC"), ("policies", "policy"), ("vector store", "vector database"),
    ],
)  # fmt: skip
def test_two_spellings_of_one_thing_are_one(one: str, other: str) -> None:
    assert stems(one) == stems(other)


@pytest.mark.parametrize(
    ("one", "other"), [("logging", "login"), ("AWS", "web services"), ("rest", "restore"), ("states", "stats"), ("ml", "html")]
)
def test_two_things_are_not_taken_for_one(one: str, other: str) -> None:
    assert not holds(stems(other), stems(one)) and not holds(stems(one), stems(other))


def test_a_phrase_counts_where_its_words_stand_together() -> None:
    words = Keywords(primary=("rest api", "api with database"))
    assert matched(stems("A REST API"), words)[0] == ("rest api",)
    assert matched(stems("An API with a database"), words)[0] == ("api with database",)
    assert matched(stems("An API that can rest"), words)[0] == ()


@given(st.integers(0, 6), st.integers(0, 6))
def test_more_words_make_surer_and_never_certain_beyond_one(primary: int, secondary: int) -> None:
    assert 0 <= sure(primary, secondary) <= sure(primary + 1, secondary) <= 1
    assert sure(primary, secondary) <= sure(primary, secondary + 1) and (primary == 0 or sure(primary, secondary) >= 0.7)


@given(st.text(max_size=80))
def test_any_goal_has_a_route_and_the_same_goal_the_same(goal: str) -> None:
    found = route(goal, LIBRARY)
    assert found == route(goal, LIBRARY) and {*found.skills} <= {each.name for each in SKILLS}


@given(st.text("abcdefghinoprstuvyz", min_size=1, max_size=14))
def test_a_stem_is_never_empty_nor_longer_than_its_word(word: str) -> None:
    assert 0 < len(stem(word)) <= len(word) + 1
