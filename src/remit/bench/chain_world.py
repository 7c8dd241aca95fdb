"""Chains in this very process, for what is measured of them: the real coordinator and engine, and boxes that are functions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import open_ledger
from remit.contract.contract import Level
from remit.contract.party import Organisation, Person
from remit.engine.chain import begin
from remit.engine.hands import Hands
from remit.engine.inbox import answer
from remit.engine.supervisor import Supervisor
from remit.errors import Broken
from remit.plan.contracting import chain_contract
from remit.plan.step import Pinned, Plan
from remit.ports import Sandbox, Workspace
from remit.run.state import Run
from remit.testing.leases import MemoryLeases
from remit.testing.signer import PaperSigner
from remit.testing.workspace import PlainWorkspace

OWNER = "owner@example.com"
MOST_TURNS = 1000
"""answers after which a chain that goes on asking is taken to be broken"""


class ChainWorld:
    """One folder with a project, a state folder and a durable ledger, and the engine over them."""

    def __init__(self, folder: Path, hands: Hands, containment: Level) -> None:
        self.hands, self.work, self._skills, self._containment = hands, folder / "work", folder / "skills", containment
        signer = PaperSigner(OWNER)
        people = (Person(id=OWNER, keys=(signer.public,)),)
        self._organisation, self._signer = Organisation(people=people, assurance="scripted"), signer
        self.questions = 0

    def pinned(self, kit: str, name: str, text: str) -> Pinned:
        """A skill with this text, on disk."""
        folder = self._skills / name
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(f"---\nname: {name}\ndescription: a skill of this bench\n---\n\n{text}")
        return Pinned(name=name, invocation=f"{kit}:{name}", folder=str(folder))

    async def begun(self, plan: Plan) -> str:
        """The chain is taken on; its id."""
        made = chain_contract(plan, owner=OWNER, containment=self._containment)
        return await begin(
            self.hands, plan, made, self._organisation, self.work, trigger="remit bench", requester=OWNER, confirmed=OWNER
        )

    async def carried_through(self, run: str) -> Run:
        """Until it is over. The owner is scripted: of a step in trouble they say `skip`, of gaps `accept`."""
        for _ in range(MOST_TURNS):
            state = await Supervisor(self.hands).drive(run)
            if state.verdict is not None or not state.open_questions:
                return state
            for asked in state.open_questions:
                word = next((each for each in ("skip", "accept") if each in asked.options), "yes")
                await answer(self.hands, run, asked.question, word, signer=self._signer, assurance="scripted")
                self.questions += 1
        raise Broken(f"the chain `{run}` asks for ever", hint="report this with the seed")

    async def children(self, run: Run) -> Sequence[Run]:
        """Every run below it, in the order in which they were begun."""
        return [await self.hands.replay(child) for child in run.keys.values()]


@contextmanager
def chain_world(
    folder: Path, sandbox: Sandbox, *, workspace: Workspace | None = None, containment: Level = "L0"
) -> Iterator[ChainWorld]:
    """A world in this folder, over its own durable ledger; with doubles for boxes and stages where no others are given."""
    home = folder / "home"
    for each in (folder / "work", home):
        each.mkdir(parents=True)
    (folder / "work" / "README.md").write_text("A project of nobody's.\n")
    clock = SystemClock()
    ledger = open_ledger(home, clock=clock)
    try:
        hands = Hands(
            ledger=ledger, clock=clock, leases=MemoryLeases(), workspace=workspace or PlainWorkspace(), sandbox=sandbox, home=home
        )  # fmt: skip
        yield ChainWorld(folder, hands, containment)
    finally:
        ledger.close()
