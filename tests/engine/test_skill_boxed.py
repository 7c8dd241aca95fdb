"""A skill in a real box: a plain command reads its task, invokes its skill, reads what lies beside it, and is refused another."""

import hashlib
from pathlib import Path

import anyio
import msgspec
from engine_worlds import ORGANISATION, contract
from test_skill_calls import ONE, TEXT, TWO, invoking

from remit.app import engine
from remit.plan.step import Pinned
from remit.ports import Job
from remit.run.chained import Reported, SkillInvoked
from remit.run.event import Decided, Event, Started

SCRIPT = """\
cat "$REMIT_TASK" > docs/brief.md
remit skill words:writing-greetings > docs/skill.md && echo given >> docs/how.md
remit act call Skill --arg skill=writing-greetings --text > docs/again.md
remit skill words:writing-farewells > docs/other.md 2> docs/why.md; echo $? >> docs/how.md
remit act call Skill --arg skill=words:writing-greetings | cut -c 1-27 > docs/json.md
cat "$1/references/tone.md" >> docs/how.md
echo more 2>/dev/null > "$1/SKILL.md" || echo read-only >> docs/how.md
echo hello > docs/hello.md
echo 'SKILL COMPLETE: writing-greetings'
"""


def test_a_command_is_given_its_skill_plainly_and_nothing_of_another(tmp_path: Path) -> None:
    work, folder = tmp_path / "work", tmp_path / "library" / "writing-greetings"
    (work / "docs").mkdir(parents=True)
    (folder / "references").mkdir(parents=True)
    (folder / "references" / "tone.md").write_text("kindly\n")
    (folder / "SKILL.md").write_text(TEXT)
    mine = Pinned(
        name="writing-greetings", invocation=ONE, folder=str(folder), digest=f"sha256:{hashlib.sha256(TEXT.encode()).hexdigest()}"
    )
    wanted = msgspec.structs.replace(invoking(ONE), containment=contract().containment)
    fact = Started(
        run="r1", contract=wanted, organisation=ORGANISATION, workspace=str(work), command=("sh", "-c", SCRIPT, "sh", str(folder)),
        trigger="a test", skills=(mine,), brief="Greet everybody.\n",
    )  # fmt: skip
    told: list[Event] = []

    async def tell() -> None:
        with anyio.fail_after(60):
            async with engine(tmp_path / "home") as supervisor:
                async with supervisor.hands.ledger.transaction() as transaction:
                    transaction.append(fact)
                    transaction.submit(Job(id="r1:start", run="r1"))
                run = await supervisor.drive("r1")
                told.extend(each.event for each in await supervisor.hands.ledger.events("r1"))
                assert run.verdict == "success", run.why

    (tmp_path / "home").mkdir(mode=0o700)
    anyio.run(tell)
    left = {each.name: each.read_text() for each in (work / "docs").iterdir()}
    given = f"Base directory for this skill: {folder}\n\n# Writing greetings\n\nWrite `docs/hello.md`.\n"
    assert (left["brief.md"], left["skill.md"], left["again.md"]) == ("Greet everybody.\n", given, given)
    assert left["how.md"] == "given\n3\nkindly\nread-only\n" and left["other.md"] == ""
    assert left["why.md"].startswith(f"remit: this run is for `{ONE}` only\n")
    assert left["json.md"] == '{"decision": "allow", "done\n'
    invoked = [each for each in told if isinstance(each, SkillInvoked)]
    assert [(each.skill, each.changed) for each in invoked] == [(ONE, False)] * 3
    refused = [each for each in told if isinstance(each, Decided) and each.decision == "refuse"]
    assert [each.action.arguments for each in refused if each.action.verb == "call"] == [{"skill": TWO}]
    [words] = [each for each in told if isinstance(each, Reported)]
    assert words.text.strip() == "SKILL COMPLETE: writing-greetings"
