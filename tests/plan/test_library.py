"""How a name finds its skill, and when it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.plan.aliases import ALIASES
from remit.plan.library import Library, Resolved
from remit.plan.loading.invoking import INVOCATION
from remit.plan.loading.skill_file import NAME
from remit.plan.skill import Skill

LIBRARY = Library(
    skills=(
        Skill(name="managing-secrets", folder="/p/secret-management", invocation="safe-skills:managing-secrets"),
        Skill(
            name="securing-authentication", folder="/p/securing-authentication", invocation="gate-skills:securing-authentication"
        ),
        Skill(name="architecting-networks", folder="/p/architecting-networks"),
        Skill(name="configuring-firewalls", folder="/p/configuring-firewalls"),
        Skill(name="assembling-components", folder="/p/assembling-components"),
        Skill(name="implementing-observability", folder="/p/implementing-observability"),
    ),
    invocations=(("older-skills:auth", "securing-authentication"),),
)


@pytest.mark.parametrize(
    ("name", "skill", "by"),
    [
        ("managing-secrets", "managing-secrets", "name"),
        ("secret-management", "managing-secrets", "folder"),
        ("safe-skills:managing-secrets", "managing-secrets", "invocation"),
        ("older-skills:auth", "securing-authentication", "invocation"),
        ("auth-security", "securing-authentication", "alias"),
        ("observability", "implementing-observability", "alias"),
    ],
)
def test_a_name_is_found_by_what_it_is(name: str, skill: str, by: str) -> None:
    found = LIBRARY.resolve(name)
    assert (found.skill, found.by) == (skill, by)


def test_an_alias_with_several_meanings_is_never_guessed() -> None:
    assert LIBRARY.resolve("configuring-networking") == Resolved(
        asked="configuring-networking", candidates=("architecting-networks", "configuring-firewalls")
    )


def test_not_even_where_only_one_of_its_meanings_is_here() -> None:
    library = Library(skills=(Skill(name="configuring-firewalls"),))
    assert library.resolve("configuring-networking") == Resolved(
        asked="configuring-networking", candidates=("configuring-firewalls",)
    )


def test_a_name_that_has_no_skill_is_not_led_to_the_one_that_sounds_like_it() -> None:
    assert LIBRARY.resolve("assembling-infrastructure") == Resolved(asked="assembling-infrastructure")


def test_a_misspelt_name_is_unresolved_with_the_nearest_ones() -> None:
    assert LIBRARY.resolve("implementing-observabilty") == Resolved(
        asked="implementing-observabilty", nearest=("implementing-observability",)
    )
    assert LIBRARY.resolve("other-skills:managing-secrets").nearest[0] == "managing-secrets"


def test_an_alias_whose_skill_is_not_here_is_unresolved_with_what_is_near_its_meaning() -> None:
    library = Library(skills=(Skill(name="optimizing-cost"),))
    assert library.resolve("optimizing-finops") == Resolved(asked="optimizing-finops", nearest=("optimizing-cost",))


def test_a_skill_that_is_really_called_so_goes_before_an_alias() -> None:
    library = Library(skills=(Skill(name="observability"), Skill(name="implementing-observability")))
    assert library.resolve("observability") == Resolved(asked="observability", skill="observability", by="name")


def test_a_place_can_say_what_its_old_names_mean() -> None:
    library = Library(skills=(Skill(name="one"),), aliases=(("uno", ("one",)),))
    assert library.resolve("uno").by == "alias"


def test_only_the_exact_name_gives_a_skill() -> None:
    assert LIBRARY.skill("managing-secrets") is LIBRARY.skills[0]
    assert LIBRARY.skill("secret-management") is None
    assert LIBRARY.blueprint("dashboard") is None


def test_the_table_of_aliases_holds_names_and_no_alias_of_an_alias() -> None:
    assert all(NAME.fullmatch(name) for alias, meant in ALIASES.items() for name in (alias, *meant))
    assert [meant for several in ALIASES.values() for meant in several if meant in ALIASES] == []
    assert INVOCATION.fullmatch("ui-foundation-skills:theming-components")


@given(st.text(max_size=100))
def test_whatever_is_asked_the_answer_is_a_skill_of_the_library_or_none(name: str) -> None:
    found = LIBRARY.resolve(name)
    assert (found.skill == "") == (found.by == "")
    assert found.skill == "" or LIBRARY.skill(found.skill) is not None
    assert all(LIBRARY.find(each)[0] for each in (*found.nearest, *found.candidates))
