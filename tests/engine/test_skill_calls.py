"""A skill is invoked at the door: decided like any call, answered with its text, and put on record. Nothing else is activation."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from engine_worlds import ORGANISATION, World, contract, rule, story

from remit.authority.action import Action
from remit.authority.decision import Allow, Refuse
from remit.contract.contract import Contract
from remit.contract.limits import Limits
from remit.contract.party import Organisation
from remit.engine.briefing import briefed
from remit.engine.gate import Gate
from remit.engine.last_words import last_words
from remit.engine.skill import MOST
from remit.engine.skill_folders import within
from remit.plan.skill_call import SKILL, called, find, skill_rule, skill_tool
from remit.plan.step import Pinned
from remit.ports import Job
from remit.run.event import Started
from remit.run.state import Run
from remit.testing.sandbox import Inside, Script

TEXT = "---\nname: writing-greetings\ndescription: Says hello.\n---\n\n# Writing greetings\n\nWrite `docs/hello.md`.\n"
ONE, TWO = "words:writing-greetings", "words:writing-farewells"
CALL = Action(verb="call", object=SKILL, arguments={"skill": ONE})


def skill(folder: Path, invocation: str = ONE, text: str = TEXT) -> Pinned:
    """A skill on the disk, pinned as it is now. Its folder has another name than the skill itself."""
    name = invocation.rpartition(":")[2]
    place = folder / f"{name}-folder"
    place.mkdir(parents=True, exist_ok=True)
    (place / "SKILL.md").write_text(text)
    digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return Pinned(name=name, invocation=invocation, folder=str(place), digest=digest)


def invoking(*invocations: str, **more: Any) -> Contract:
    """A contract under which these skills may be invoked."""
    given = contract(skill_rule(invocations)) if invocations else contract()
    return msgspec.structs.replace(given, tools=(skill_tool(),), **more)


class Library(World):
    """A world whose runs have skills."""

    def __init__(self, folder: Path, agent: Script, *skills: Pinned, brief: str = "") -> None:
        super().__init__(folder, agent)
        self.skills, self.brief = skills, brief

    async def start(self, contract: Contract, organisation: Organisation = ORGANISATION, **more: Any) -> str:
        fact = Started(
            run="r1", contract=contract, organisation=organisation, workspace=str(self.work.resolve()), command=("agent",),
            trigger="a test", skills=self.skills, brief=self.brief, **more,
        )  # fmt: skip
        async with self.hands.ledger.transaction() as transaction:
            transaction.append(fact)
            transaction.submit(Job(id="r1:start", run="r1"))
        return "r1"


async def tried(
    tmp_path: Path, asked: Sequence[dict[str, Any]], *skills: Pinned, under: Contract | None = None, **more: Any
) -> tuple[Library, Run, list[dict[str, Any]]]:
    """A run whose agent asks for these calls of `Skill`, one after another, and then does its work."""
    told: list[dict[str, Any]] = []

    async def agent(inside: Inside) -> None:
        told.extend([await inside.act("call", SKILL, arguments=each) for each in asked])
        (inside.folder / "docs/hello.md").write_text("hello\n")

    world = Library(tmp_path, agent, *skills, **more)
    run = await world.begin(under or invoking(*(called(each) for each in skills)))
    return world, run, told


# ------------------------------------------------------------------------------------------------------------- what is given


@pytest.mark.parametrize("asked", [ONE, "writing-greetings", "writing-greetings-folder", f"/{ONE}", f" {ONE} "])
def test_a_skill_is_given_by_whichever_of_its_names_it_is_asked_for(tmp_path: Path, asked: str) -> None:
    async def tell() -> None:
        mine = skill(tmp_path / "library")
        world, run, [said] = await tried(tmp_path, [{"skill": asked}], mine)
        assert (said["decision"], said["done"]) == ("allow", True)
        assert (
            said["output"] == f"Base directory for this skill: {mine.folder}\n\n# Writing greetings\n\nWrite `docs/hello.md`.\n"
        )
        [fact] = await world.events(run.id, "skill_invoked")
        assert (fact.skill, fact.digest, fact.bytes, fact.changed) == (ONE, mine.digest, len(TEXT), False)
        [decided] = [each for each in await world.events(run.id, "decided") if each.action.verb == "call"]
        assert (decided.action, decided.decision, decided.at_door) == (CALL, "allow", "door")
        loaded = [each for each in await world.events(run.id, "context_loaded") if each.what == f"skill {ONE}"]
        assert [(each.digest, each.bytes) for each in loaded] == [(mine.digest, len(TEXT))]
        assert run.verdict == "success"

    story(tell)


def test_a_skill_that_is_no_longer_what_was_planned_with_is_given_and_told(tmp_path: Path) -> None:
    async def tell() -> None:
        mine = skill(tmp_path / "library")
        (Path(mine.folder) / "SKILL.md").write_text("# New words\n")
        world, run, [said] = await tried(tmp_path, [{"skill": ONE}], mine)
        assert said["output"].endswith("\n\n# New words\n")
        [fact] = await world.events(run.id, "skill_invoked")
        assert fact.changed and fact.digest != mine.digest

    story(tell)


def test_a_skill_can_be_invoked_again_and_each_time_is_on_record(tmp_path: Path) -> None:
    async def tell() -> None:
        world, run, told = await tried(tmp_path, [{"skill": ONE}, {"skill": ONE}], skill(tmp_path / "library"))
        assert [each["done"] for each in told] == [True, True]
        assert len(await world.events(run.id, "skill_invoked")) == 2

    story(tell)


def test_what_is_said_beside_the_name_of_a_skill_changes_nothing(tmp_path: Path) -> None:
    async def tell() -> None:
        _, _, [said] = await tried(tmp_path, [{"skill": ONE, "args": "in French", "wait": 5}], skill(tmp_path / "library"))
        assert said["done"]

    story(tell)


# --------------------------------------------------------------------------------------------------------- what is refused


def test_another_skill_is_refused_by_the_rule_and_the_agent_hears_which_one_the_run_is_for(tmp_path: Path) -> None:
    async def tell() -> None:
        world, run, [said] = await tried(tmp_path, [{"skill": TWO}], skill(tmp_path / "library"))
        assert (said["decision"], said["done"]) == ("refuse", False)
        assert said["reasons"][0]["why"] == f"this run is for `{ONE}` only"
        assert not await world.events(run.id, "skill_invoked")
        [decided] = [each for each in await world.events(run.id, "decided") if each.action.verb == "call"]
        assert (decided.action.arguments, decided.decision) == ({"skill": TWO}, "refuse")

    story(tell)


def test_a_skill_that_a_rule_would_have_is_refused_where_the_run_is_not_for_it(tmp_path: Path) -> None:
    async def tell() -> None:
        world, run, [said] = await tried(tmp_path, [{"skill": TWO}], skill(tmp_path / "library"), under=invoking(ONE, TWO))
        assert said["decision"] == "refuse" and said["reasons"][0]["why"] == f"this run is for `{ONE}` only"
        assert [each.what for each in await world.events(run.id, "blocked")] == ["skill"]

    story(tell)


def test_a_run_without_skills_has_no_such_tool(tmp_path: Path) -> None:
    async def tell() -> None:
        world, run, [said] = await tried(tmp_path, [{"skill": ONE}])
        assert said["decision"] == "refuse" and "only" not in said["reasons"][0]["why"]
        assert not await world.events(run.id, "skill_invoked")

    story(tell)


@pytest.mark.parametrize("asked", [{}, {"skill": ""}, {"skill": 7}, {"name": ONE}])
def test_a_call_that_names_no_skill_is_refused_and_recorded(tmp_path: Path, asked: dict[str, Any]) -> None:
    async def tell() -> None:
        world, run, [said] = await tried(tmp_path, [asked], skill(tmp_path / "library"))
        assert said["decision"] == "refuse" and [each.what for each in await world.events(run.id, "blocked")] == ["request"]

    story(tell)


@pytest.mark.parametrize("how", ["gone", "link out", "folder out", "too long", "no file", "nowhere"])
def test_a_text_that_cannot_be_had_safely_is_not_given(tmp_path: Path, how: str) -> None:
    async def tell() -> None:
        mine = skill(tmp_path / "library")
        file = Path(mine.folder) / "SKILL.md"
        secret = tmp_path / "secret"
        secret.write_text("the secret")
        file.unlink()
        match how:
            case "link out":
                file.symlink_to(secret)
            case "folder out":
                (Path(mine.folder) / "sub").symlink_to(tmp_path)
                file.symlink_to("sub/secret")
            case "too long":
                file.write_bytes(b"x" * (MOST + 1))
            case "no file":
                file.mkdir()
            case "nowhere":
                mine = msgspec.structs.replace(mine, folder="")
        world, run, [said] = await tried(tmp_path, [{"skill": ONE}], mine)
        assert (said["decision"], said["done"]) == ("refuse", False) and "output" not in said
        assert not await world.events(run.id, "skill_invoked", "context_loaded")

    story(tell)


def test_a_link_within_the_folder_of_a_skill_is_followed(tmp_path: Path) -> None:
    async def tell() -> None:
        mine = skill(tmp_path / "library")
        file = Path(mine.folder) / "SKILL.md"
        file.rename(file.with_name("real.md"))
        file.symlink_to("real.md")
        _, _, [said] = await tried(tmp_path, [{"skill": ONE}], mine)
        assert said["done"]

    story(tell)


def test_a_person_who_is_asked_about_a_skill_answers_for_it(tmp_path: Path) -> None:
    async def tell() -> None:
        asks = msgspec.structs.replace(invoking(), rules=(*contract().rules, rule("ask", "call", SKILL)))
        _, run, [said] = await tried(tmp_path, [{"skill": ONE}], skill(tmp_path / "library"), under=asks)
        assert said["decision"] == "ask" and said["question"] == "Q1"
        assert run.questions["Q1"].question.about == "action"

    story(tell)


def test_invocations_are_turns_and_used_up_like_any(tmp_path: Path) -> None:
    async def tell() -> None:
        few = invoking(ONE, limits=Limits(time=600, turns=2))
        world, run, told = await tried(tmp_path, [{"skill": ONE}] * 3, skill(tmp_path / "library"), under=few)
        assert [each["decision"] for each in told][:2] == ["allow", "allow"] and run.spend.turns == 2
        assert [each.limit for each in await world.events(run.id, "limit_reached")] == ["turns"]

    story(tell)


# --------------------------------------------------------------------------------------- the rule, over organisation and two contracts


async def gated(
    tmp_path: Path, above: Contract, below: Contract, *asked: str, organisation: Organisation = ORGANISATION
) -> list[Any]:
    """What the real gate says in a run of `below` that a run of `above` has started."""
    world = Library(tmp_path, lambda _: None)  # type: ignore[arg-type,return-value]
    given: dict[str, Any] = {
        "organisation": organisation,
        "workspace": str(world.work),
        "command": ("agent",),
        "trigger": "a test",
    }
    await world.tell(
        Started(run="r1", contract=above, **given),
        Started(run="r1.1", contract=below, parent="r1", ancestors=("r1",), skills=(skill(tmp_path),), **given),
    )
    gate = Gate(world.hands)
    calls = [Action(verb="call", object=SKILL, arguments={"skill": each}) for each in asked]
    return [(await gate.decide("r1.1", each, at="door")).decision for each in calls]


def test_the_step_may_invoke_what_both_its_contract_and_the_chains_cover_and_nothing_else(tmp_path: Path) -> None:
    async def tell() -> None:
        first, second, third = await gated(tmp_path, invoking(ONE, TWO), invoking(ONE), ONE, TWO, "other:third")
        assert isinstance(first, Allow) and isinstance(second, Refuse) and isinstance(third, Refuse)

    story(tell)


def test_a_step_whose_chain_does_not_cover_the_skill_gets_no_further(tmp_path: Path) -> None:
    async def tell() -> None:
        [said] = await gated(tmp_path, invoking(TWO), invoking(ONE), ONE)
        assert isinstance(said, Refuse)

    story(tell)


def test_an_organisation_that_lists_its_calls_must_list_skills_too(tmp_path: Path) -> None:
    async def tell() -> None:
        closed = msgspec.structs.replace(ORGANISATION, rules=(rule("may", "call", "refund"),))
        [said] = await gated(tmp_path, invoking(ONE), invoking(ONE), ONE, organisation=closed)
        assert isinstance(said, Refuse)

    story(tell)


def test_an_organisation_that_lists_its_calls_and_skills_lets_them_through(tmp_path: Path) -> None:
    async def tell() -> None:
        opened = msgspec.structs.replace(ORGANISATION, rules=(rule("may", "call", "refund"), skill_rule((ONE, TWO))))
        [said] = await gated(tmp_path, invoking(ONE, TWO), invoking(ONE), ONE, organisation=opened)
        assert isinstance(said, Allow)

    story(tell)


def test_nobody_owns_a_risk_for_a_skill_because_it_only_reads(tmp_path: Path) -> None:
    async def tell() -> None:
        [said] = await gated(tmp_path, invoking(ONE), invoking(ONE), ONE)
        assert isinstance(said, Allow) and [each.rule for each in said.reasons] == ["may-invoke-skill"] * 2

    story(tell)


def test_a_rule_about_no_skill_is_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        skill_rule(())


def test_a_bare_name_that_two_skills_have_is_that_of_neither() -> None:
    both = (Pinned(name="a", invocation="one:a", folder="/x/a"), Pinned(name="a", invocation="two:a", folder="/y/a"))
    assert find(both, "a") is None and find(both, "two:a") is both[1]


# ------------------------------------------------------------------------------------------------- what a command has of its task


def test_a_command_finds_its_task_in_a_file_and_its_skill_in_sight(tmp_path: Path) -> None:
    async def tell() -> None:
        seen: list[Any] = []

        async def agent(inside: Inside) -> None:
            plan = inside._plan
            seen.append((plan.files[inside.environment["REMIT_TASK"]], plan.visible))
            (inside.folder / "docs/hello.md").write_text("hello\n")

        mine = skill(tmp_path / "library")
        world = Library(tmp_path, agent, mine, brief="Greet.\n")
        assert (await world.begin(invoking(ONE))).verdict == "success"
        assert seen == [("Greet.\n", (mine.folder,))]

    story(tell)


async def furnished(tmp_path: Path, *places: str, **files: str) -> tuple[tuple[str, ...], dict[str, str], list[str]]:
    """What the box of a run shows, what is laid into it, and where its skills say they are. One skill in each place."""
    seen: list[Any] = []
    names = [f"words:skill-{number}" for number in range(len(places))]

    async def agent(inside: Inside) -> None:
        at = [(await inside.act("call", SKILL, arguments={"skill": each}))["output"].splitlines()[0] for each in names]
        laid = {path: text for path, text in inside._plan.files.items() if "/skills/" in path}
        seen.append((inside._plan.visible, laid, [each.removeprefix("Base directory for this skill: ") for each in at]))

    world = Library(tmp_path, agent)
    world.skills = tuple(skill(tmp_path / each, name) for each, name in zip(places, names, strict=True))
    for name, text in files.items():
        (Path(world.skills[0].folder) / name.replace("_", ".")).write_text(text)
    await world.begin(invoking(*names))
    return seen[0]  # type: ignore[no-any-return]


def test_a_skill_is_shown_where_it_lies_unless_that_is_the_workspace_or_remits_own_state(tmp_path: Path) -> None:
    async def tell() -> None:
        visible, laid, at = await furnished(tmp_path, "library", "home/skills", "home/runs", "work/skills")
        assert visible == tuple(f"{tmp_path}/{each}" for each in ("library/skill-0-folder", "home/skills/skill-1-folder"))
        assert laid == {} and at[3] == f"{tmp_path}/work/skills/skill-3-folder"

    story(tell)


def test_a_skill_among_the_hidden_settings_of_a_workspace_is_copied_without_secrets_links_and_what_is_no_text(
    tmp_path: Path,
) -> None:
    async def tell() -> None:
        (tmp_path / "work/.claude/skills/skill-0-folder").mkdir(parents=True)
        (tmp_path / "work/.claude/skills/skill-0-folder/link.md").symlink_to("/etc/passwd")
        (tmp_path / "work/.claude/skills/skill-0-folder/picture.png").write_bytes(b"\x89PNG\0")
        visible, laid, at = await furnished(tmp_path, "work/.claude/skills", tone_md="kindly\n", _env="KEY=1")
        place = "/run/remit/skills/skill-0-folder"
        assert (visible, at) == ((), [place]) and laid == {f"{place}/SKILL.md": TEXT, f"{place}/tone.md": "kindly\n"}

    story(tell)


def test_a_runtime_is_told_where_its_skills_are_in_the_box_and_of_no_folder_that_is_not_there(tmp_path: Path) -> None:
    world = Library(tmp_path, lambda _: None)  # type: ignore[arg-type,return-value]
    places = ("library", "work/skills", "work/.claude/skills", "home/runs")
    skills = [skill(tmp_path / each, f"words:skill-{number}") for number, each in enumerate(places)]
    gone = Pinned(name="gone", invocation="words:gone", folder=f"{tmp_path}/nowhere/gone")
    given: dict[str, Any] = {"organisation": ORGANISATION, "workspace": str(world.work), "command": (), "trigger": "a test"}
    run = Run(id="r1", started=Started(run="r1", contract=invoking(ONE), skills=(*skills, gone), **given))
    told = briefed(world.hands, run, "token")
    assert [each.folder for each in told.skills] == [
        skills[0].folder,
        skills[1].folder,
        "/run/remit/skills/skill-2-folder",
        "",
        "",
    ]
    assert [tool.name for tool in told.tools] == [SKILL]


def test_a_brief_is_the_whole_task_word_for_word(tmp_path: Path) -> None:
    world = Library(tmp_path, lambda _: None)  # type: ignore[arg-type,return-value]
    given: dict[str, Any] = {"organisation": ORGANISATION, "workspace": str(world.work), "command": (), "trigger": "a test"}
    fact = Started(run="r1", contract=invoking(ONE), brief="You are executing\n a single skill.\n", **given)
    assert briefed(world.hands, Run(id="r1", started=fact), "token").text == "You are executing\n a single skill.\n"
    plain = briefed(world.hands, Run(id="r1", started=msgspec.structs.replace(fact, brief="")), "token")
    assert plain.text.startswith("# Task") and plain.skills == () and [each.name for each in plain.tools] == [SKILL]


@pytest.mark.parametrize(
    ("path", "is_within"),
    [
        ("{}/references/tone.md", True), ("{}", True), ("{}/**", True), ("{}/../other/a.md", False), ("{}-other/a.md", False),
        ("/etc/passwd", False), ("docs/a.md", False),
    ],
)  # fmt: skip
def test_reading_beside_a_skill_of_the_run_is_for_the_box_alone_to_decide(tmp_path: Path, path: str, is_within: bool) -> None:
    mine = skill(tmp_path / "library")
    given: dict[str, Any] = {"organisation": ORGANISATION, "workspace": "/work", "command": (), "trigger": "a test"}
    run = Run(id="r1", started=Started(run="r1", contract=invoking(ONE), skills=(mine,), **given))
    action = Action(verb="read", object=path.format(mine.folder))
    assert within(run, action) is is_within
    assert not within(run, msgspec.structs.replace(action, verb="write"))
    assert not within(Run(id="r1"), action)


# ------------------------------------------------------------------------------------------------------------------ last words


def test_the_last_words_of_a_command_are_the_end_of_what_it_printed(tmp_path: Path) -> None:
    log = tmp_path / "1.log"
    log.write_bytes(b"x" * 100 + "\x1b[1mFERTIG: schön\x1b[0m\r\n".encode() + b"\xff")
    assert last_words(log, 17) == "xxFERTIG: schön\n�"
    assert last_words(tmp_path / "none.log", 10) == ""
