"""Everything that carries out an effect keeps the same promises, the double of the outbox tests included."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import providers
import pytest
from providers import Answered, closed_port, repositories, tip

from remit.adapters.effects.bound import BoundTools, bound
from remit.contract.binding import GitPush, HttpRequest, MailServer, PublishFile, SendMail, SqlStatement
from remit.contract.party import Tool
from remit.errors import BadInput
from remit.ports.effects import Performer
from remit.testing.checks_effect import CHECKS, Ground, check_effect
from remit.testing.clock import JumpingClock
from remit.testing.effects import MemoryEffects, MemoryTools

SECRET = "s3cret-value-77"
ENVIRONMENT = {"TOKEN": SECRET, "PLACE": "www"}


class Room:
    """Makes grounds, each in a fresh folder, and holds their servers until the test is over."""

    def __init__(self, room: Path, held: ExitStack, request: pytest.FixtureRequest) -> None:
        self._room, self._held, self._request, self._count = room, held, request, 0

    def fresh(self) -> Path:
        self._count += 1
        at = self._room / f"{self._count}"
        at.mkdir()
        return at

    def http(self, **fields: Any) -> Ground:
        good, bad = (self._held.enter_context(providers.provider()) for _ in range(2))
        bad.says = lambda heard: Answered(422, f"not with {heard.headers['Authorization']}".encode())

        def tool(address: str) -> Performer:
            return bound(
                HttpRequest(
                    url=address + "/orders/{order}/refunds", headers=(("Authorization", "Bearer $TOKEN"),),
                    probe=address + "/by-key/{key}", **fields,
                ),
                ENVIRONMENT,
            )  # fmt: skip

        return Ground(
            performer=tool(good.address), refused=tool(bad.address), unreachable=tool(f"http://127.0.0.1:{closed_port()}"),
            arguments={"order": "o-1", "amount": 50, "reason": "late"}, workspace=Path("/"),
            happened=lambda: len(good.made), secret=SECRET,
        )  # fmt: skip

    def http_with_keys(self) -> Ground:
        return self.http(window=86400)

    def git(self) -> Ground:
        workspace, bare = repositories(self.fresh())
        _, protected = repositories(self.fresh())
        (protected / "hooks").mkdir(exist_ok=True)
        (protected / "hooks" / "pre-receive").write_text("#!/bin/sh\nexit 1\n")
        (protected / "hooks" / "pre-receive").chmod(0o755)
        before = tip(bare)
        return Ground(
            performer=bound(GitPush(remote=str(bare)), ENVIRONMENT), refused=bound(GitPush(remote=str(protected)), ENVIRONMENT),
            unreachable=bound(GitPush(remote=f"http://bot:$TOKEN@127.0.0.1:{closed_port()}/r.git"), ENVIRONMENT),
            arguments={"branch": "main"}, workspace=workspace, happened=lambda: int(tip(bare) != before), secret=SECRET,
        )  # fmt: skip

    def file(self) -> Ground:
        at = self.fresh()
        for name in ("ws", "www", "busy/report.html"):
            (at / name).mkdir(parents=True)
        (at / "ws" / "report.html").write_text("report")

        def tool(folder: str) -> Performer:
            return bound(PublishFile(folder=f"{at}/{folder}"), ENVIRONMENT)

        return Ground(
            performer=tool("$PLACE"), refused=tool("busy"), unreachable=tool("gone"), arguments={"path": "report.html"},
            workspace=at / "ws", happened=lambda: len(list((at / "www").iterdir())),
        )  # fmt: skip

    def sqlite(self) -> Ground:
        import sqlite3

        path = self.fresh() / "shop.db"

        def ask(text: str) -> Any:
            connection = sqlite3.connect(path)
            found = connection.execute(text).fetchone()
            connection.commit()
            connection.close()
            return found

        return self._sql(f"sqlite:///{path}", f"{path}.gone", ask)

    def postgres(self) -> Ground:
        import psycopg

        cluster: providers.Cluster = self._request.getfixturevalue("cluster")
        name = f"conform_{self.fresh().parent.name}_{self._count}".lower().replace("-", "_")[:60]
        with psycopg.connect(cluster.address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        address = f"postgresql://remit:$TOKEN@127.0.0.1:{cluster.port}/{name}"

        def ask(text: str) -> Any:
            with psycopg.connect(address.replace("$TOKEN", "x")) as connection:
                cursor = connection.execute(text.encode())
                return cursor.fetchone() if cursor.description else None

        return self._sql(address, f"postgresql://remit:$TOKEN@127.0.0.1:{closed_port()}/{name}", ask)

    def _sql(self, address: str, gone: str, ask: Callable[[str], Any]) -> Ground:
        ask("CREATE TABLE refunds (order_id TEXT, amount NUMERIC)")

        def tool(table: str, database: str = address) -> Performer:
            statement = f"INSERT INTO {table} (order_id, amount) VALUES (:order, :amount)"
            return bound(SqlStatement(database=database, statement=statement), ENVIRONMENT)

        return Ground(
            performer=tool("refunds"), refused=tool("nowhere"), unreachable=tool("refunds", gone),
            arguments={"order": "o-1", "amount": 50}, workspace=Path("/"),
            happened=lambda: int(ask("SELECT count(*) FROM refunds")[0]), secret=SECRET,
        )  # fmt: skip

    def memory(self, **fields: Any) -> Ground:
        good, bad, gone = (MemoryEffects(**fields) for _ in range(3))
        bad.refuses, gone.reachable = "not with this card", False
        return Ground(
            performer=good, refused=bad, unreachable=gone, arguments={"order": "o-1", "amount": 50}, workspace=Path("/"),
            happened=lambda: len(good.happened),
        )  # fmt: skip

    def memory_with_keys(self) -> Ground:
        return self.memory(window=3600, probes=True)


@pytest.fixture
def room(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Room]:
    with ExitStack() as held:
        yield Room(tmp_path, held, request)


KINDS = ("http", "http_with_keys", "git", "file", "sqlite", "postgres", "memory", "memory_with_keys")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_shared_promises(check: Any, kind: str, room: Room) -> None:
    anyio.run(check, getattr(room, kind))


def test_the_whole_of_it_runs_by_one_call(room: Room) -> None:
    anyio.run(check_effect, room.memory_with_keys)


def test_every_binding_finds_its_performer() -> None:
    tools = BoundTools({})
    for binding, name in {
        HttpRequest(url="https://api.example/x"): "HttpEffect",
        GitPush(remote="/r.git"): "PushEffect",
        SqlStatement(database="/x.db", statement="SELECT 1"): "SqlEffect",
        PublishFile(folder="/www"): "FileEffect",
        SendMail(server=MailServer(server="localhost:25", sender="desk@example.com")): "MailEffect",
    }.items():
        assert type(tools.find(Tool(name="t", does=binding))).__name__ == name


def test_a_registered_function_counts_only_where_nothing_is_bound() -> None:
    mine = MemoryEffects()
    tools = BoundTools({}, {"refund": mine})
    assert tools.find(Tool(name="refund")) is mine
    assert tools.find(Tool(name="other")) is None
    assert tools.find(Tool(name="refund", does=PublishFile(folder="/www"))) is not mine
    assert MemoryTools({"refund": mine}).find(Tool(name="refund")) is mine
    with pytest.raises(BadInput):
        tools.find(Tool(name="refund", does=SqlStatement(database="/x.db", statement="COMMIT")))


def test_finding_a_performer_imports_only_what_it_needs() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom remit.adapters.effects.bound import BoundTools\n"
        "print([name for name in ('http.client', 'ssl', 'sqlite3', 'psycopg', 'smtplib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_double_forgets_a_key_after_its_window_and_dies_on_either_side() -> None:
    clock = JumpingClock()
    tool = MemoryEffects(window=60, probes=True, clock=clock)

    async def main() -> None:
        here = Path("/")
        first = await tool.perform("k", {}, workspace=here)
        clock.jump(60)
        assert await tool.perform("k", {}, workspace=here) == first
        clock.jump(1)
        assert await tool.perform("k", {}, workspace=here) != first
        assert tool.times("k") == 2
        for side, times in (("before", 0), ("after", 1)):
            tool.dies = side  # type: ignore[assignment]
            with pytest.raises(Exception, match="broke"):
                await tool.perform(side, {}, workspace=here)
            assert tool.times(side) == times
            assert ((await tool.probe(side, {}, workspace=here)) is not None) == bool(times)

    anyio.run(main)
