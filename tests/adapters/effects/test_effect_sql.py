"""SQL as an effect, on real SQLite files and a real PostgreSQL server."""

import itertools
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from providers import Cluster, closed_port

from remit.adapters.effects import sql_text
from remit.adapters.effects.sql import SqlEffect
from remit.contract.binding import SqlStatement
from remit.errors import BadInput, Broken, Refused
from remit.ports.effects import Receipt

INSERT = "INSERT INTO refunds (order_id, amount) VALUES (:order, :amount)"
REFUND = {"order": "o-1", "amount": Decimal("50.25")}


def perform(tool: SqlEffect, arguments: Mapping[str, Any] = REFUND, key: str = "k-1") -> Receipt:
    return anyio.run(lambda: tool.perform(key, arguments, workspace=Path("/")))


def probe(tool: SqlEffect, arguments: Mapping[str, Any] = REFUND, key: str = "k-1") -> Receipt | None:
    return anyio.run(lambda: tool.probe(key, arguments, workspace=Path("/")))


class Shop:
    """A database with a table of refunds, whichever kind it is."""

    def __init__(self, address: str, ask: Callable[[str], list[tuple[Any, ...]]]) -> None:
        self.address, self.ask = address, ask

    def tool(self, statement: str = INSERT) -> SqlEffect:
        return SqlEffect(SqlStatement(database=self.address, statement=statement), {})

    def refunds(self) -> list[tuple[Any, ...]]:
        return self.ask("SELECT order_id, amount FROM refunds ORDER BY order_id")


def sqlite_shop(room: Path) -> Shop:
    path = room / "shop file?.db"

    def ask(text: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(path)
        try:
            with connection:
                return connection.execute(text).fetchall()
        finally:
            connection.close()

    ask("CREATE TABLE refunds (order_id TEXT PRIMARY KEY, amount NUMERIC CHECK (amount < 1000), note TEXT)")
    return Shop(f"sqlite:///{path}", ask)


_NUMBER = itertools.count()


def postgres_shop(cluster: Cluster) -> Shop:
    import psycopg

    name = f"shop{next(_NUMBER)}"
    with psycopg.connect(cluster.address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    address = cluster.address.removesuffix("/postgres") + f"/{name}"

    def ask(text: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(address) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    ask("CREATE TABLE refunds (order_id text PRIMARY KEY, amount numeric CHECK (amount < 1000), note text)")
    return Shop(address, ask)


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    return sqlite_shop(tmp_path) if request.param == "sqlite" else postgres_shop(request.getfixturevalue("cluster"))


def test_the_row_and_its_key_are_written_together(shop: Shop) -> None:
    assert perform(shop.tool()) == Receipt(receipt="1 row")
    assert shop.refunds() == [("o-1", Decimal("50.25"))]
    assert shop.ask("SELECT key, receipt FROM remit_effects") == [("k-1", "1 row")]


def test_a_second_time_under_the_same_key_does_nothing_and_says_the_same(shop: Shop) -> None:
    tool = shop.tool("UPDATE refunds SET amount = amount + :more WHERE order_id = :order RETURNING order_id, amount")
    perform(shop.tool())
    first = perform(tool, {"order": "o-1", "more": 1}, "k-2")
    assert first.receipt == "1 row"
    assert sorted(first.returned) == ["51.25", "o-1"]
    assert json.loads(first.output, parse_float=str) == [{"order_id": "o-1", "amount": "51.25"}]
    assert perform(tool, {"order": "o-1", "more": 1}, "k-2") == first
    assert probe(tool, {"order": "o-1", "more": 1}, "k-2") == first
    assert shop.refunds() == [("o-1", Decimal("51.25"))]


def test_a_key_is_for_one_thing_only(shop: Shop) -> None:
    perform(shop.tool())
    with pytest.raises(Refused, match="something else"):
        perform(shop.tool(), {"order": "o-2", "amount": 1})
    assert len(shop.refunds()) == 1


def test_two_at_once_under_one_key_do_it_once(shop: Shop) -> None:
    receipts: list[Receipt] = []
    threads = [threading.Thread(target=lambda: receipts.append(perform(shop.tool()))) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert receipts == [Receipt(receipt="1 row")] * 6
    assert len(shop.refunds()) == 1


def test_two_at_once_under_two_keys_make_the_table_once(shop: Shop) -> None:
    receipts: list[Receipt] = []
    threads = [
        threading.Thread(target=lambda n=n: receipts.append(perform(shop.tool(), {"order": f"o-{n}", "amount": n}, f"k-{n}")))
        for n in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert receipts == [Receipt(receipt="1 row")] * 6


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        (INSERT, {"order": "o-1", "amount": 1000}),
        ("INSERT INTO nowhere VALUES (:order)", {"order": "o"}),
        ("INSERT INTO refunds VALUES (:order", {"order": "o"}),
        ("UPDATE refunds SET amount = (SELECT 1 / 0 FROM nowhere)", {}),
    ],
)
def test_a_statement_that_fails_leaves_nothing(shop: Shop, statement: str, arguments: dict[str, Any]) -> None:
    perform(shop.tool(), {"order": "o-0", "amount": 1}, "k-0")
    with pytest.raises(Refused, match="nothing was changed"):
        perform(shop.tool(statement), arguments)
    assert [row[0] for row in shop.refunds()] == ["o-0"]
    assert probe(shop.tool(statement), arguments) is None
    assert shop.ask("SELECT key FROM remit_effects") == [("k-0",)]


def test_what_fails_only_at_the_end_leaves_nothing(cluster: Cluster) -> None:
    shop = postgres_shop(cluster)
    shop.ask("ALTER TABLE refunds ADD CONSTRAINT late UNIQUE (note) DEFERRABLE INITIALLY DEFERRED")
    tool = shop.tool("INSERT INTO refunds (order_id, note) VALUES (:order, 'same')")
    perform(tool, {"order": "o-1"}, "k-1")
    with pytest.raises(Refused, match="late"):
        perform(tool, {"order": "o-2"}, "k-2")
    assert probe(tool, {"order": "o-2"}, "k-2") is None


def test_a_question_to_the_database_is_answered_with_its_rows(shop: Shop) -> None:
    assert perform(shop.tool("SELECT count(*) AS n FROM refunds"), {}).output == '[{"n":0}]'


@pytest.mark.parametrize(
    "value", ["x'); DROP TABLE refunds; --", "'' OR ''1''=''1", ":amount", "%s %(order)s %", "$1", "ü\u202e", "\\'"]
)
def test_an_argument_is_only_ever_a_value(shop: Shop, value: str) -> None:
    perform(shop.tool(), {"order": value, "amount": 1})
    assert shop.refunds() == [(value, 1)]


def test_colons_in_quotes_casts_and_comments_are_no_arguments(cluster: Cluster, tmp_path: Path) -> None:
    both = "INSERT INTO refunds (order_id, note) VALUES (:order, 'at 12:30:order''s 100% -- :x') -- :y\n/* :z ; */ ;"
    for shop in (postgres_shop(cluster), sqlite_shop(tmp_path)):
        perform(shop.tool(both), {"order": "o-1"})
        assert shop.ask("SELECT note FROM refunds") == [("at 12:30:order's 100% -- :x",)]
    shop = postgres_shop(cluster)
    tool = shop.tool(
        "INSERT INTO refunds (order_id, amount, note) VALUES (:order::text, :amount::numeric, $q$ :a; 'b $q$ || E' \\':c' || (ARRAY[1,2])[1:2]::text)"
    )
    perform(tool, REFUND)
    assert shop.ask("SELECT order_id, amount, note FROM refunds") == [("o-1", Decimal("50.25"), " :a; 'b  ':c{1,2}")]


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO a VALUES (1); DROP TABLE a", "SELECT 1;;SELECT 2", "COMMIT", "BEGIN", "PRAGMA x", "ATTACH 'a' AS b", "DROP TABLE a",
     "", ";", "-- only words", "SELECT 'open", 'SELECT "open', "SELECT 1 /* open", "SELECT 1 /* /* */ */", "VACUUM", "COPY a TO PROGRAM 'x'", "/* SELECT */ ROLLBACK"],
)  # fmt: skip
def test_only_one_statement_that_changes_or_reads_rows_can_be_bound(statement: str) -> None:
    with pytest.raises(BadInput):
        SqlEffect(SqlStatement(database="/shop.db", statement=statement), {})


@given(st.text(alphabet="ab:'\"-/*$;% \n", max_size=40))
def test_reading_a_statement_ends_and_loses_nothing(text: str) -> None:
    try:
        names = sql_text.arguments(f"SELECT {text}")
    except BadInput:
        return
    written = sql_text.spelled(f"SELECT {text}", lambda name: f":{name}", lambda plain: plain)
    assert sql_text.arguments(written) == names
    assert sql_text.spelled(written, lambda name: f":{name}", lambda plain: plain) == written


def test_reading_a_long_statement_takes_no_time() -> None:
    for part in ("a", "$", "'a' ", "/**/", "--\n", ":a ", "$a", '"'):
        text = "SELECT " + part * 20_000
        try:
            sql_text.arguments(text)
        except BadInput:
            continue


def test_arguments_that_are_missing_or_not_used_are_bad_input() -> None:
    tool = SqlEffect(SqlStatement(database="/shop.db", statement=INSERT), {})
    with pytest.raises(BadInput, match="`amount`: the statement needs it"):
        tool.preview({"order": "o"})
    with pytest.raises(BadInput, match="`note`: the statement does not use it"):
        tool.preview({**REFUND, "note": "x"})
    with pytest.raises(BadInput):
        tool.preview({**REFUND, "amount": float("nan")})


def test_the_preview_shows_statement_and_values_and_no_login() -> None:
    tool = SqlEffect(SqlStatement(database="postgresql://remit:pw-1234@db.example/shop?password=pw-1234", statement=INSERT), {})
    assert tool.preview(REFUND) == (
        "in one transaction on postgresql://db.example/shop:\n"
        'INSERT INTO refunds (order_id, amount) VALUES (:order, :amount)\nwith\n  order = "o-1"\n  amount = 50.25'
    )
    hidden = SqlEffect(SqlStatement(database="$SHOP", statement="SELECT 1"), {"SHOP": "postgresql://u:pw-1234@h/d"})
    assert hidden.preview({}) == "in one transaction on $SHOP:\nSELECT 1"
    with pytest.raises(BadInput, match=r"\$SHOP"):
        SqlEffect(SqlStatement(database="$SHOP", statement="SELECT 1"), {}).preview({})


@pytest.mark.parametrize("value", [None, True, 7, -7, "x", Decimal("0.10"), Decimal("-3"), {"a": [Decimal("1.50"), "b"]}, ["x"]])
def test_every_kind_of_value_arrives(shop: Shop, value: Any) -> None:
    kinds = {dict: "jsonb", list: "jsonb", str: "text", bool: "boolean"}
    shop.ask(f"CREATE TABLE things (id integer, thing {kinds.get(type(value), 'numeric')})")
    perform(shop.tool("INSERT INTO things VALUES (1, :thing)"), {"thing": value})
    ((found,),) = shop.ask("SELECT thing FROM things")
    if isinstance(value, dict | list):
        found = json.loads(found, parse_float=Decimal) if isinstance(found, str) else found
        assert found == value or found == {"a": [1.5, "b"]}
    else:
        assert found == value or Decimal(repr(found)) == value


@pytest.mark.parametrize("value", [Decimal("12345678901234567.89"), 2**63, -(2**63) - 1])
def test_a_number_that_sqlite_cannot_hold_is_never_rounded(tmp_path: Path, value: Any) -> None:
    shop = sqlite_shop(tmp_path)
    with pytest.raises(BadInput, match="`amount`"):
        shop.tool().preview({"order": "o", "amount": value})
    with pytest.raises(BadInput):
        perform(shop.tool(), {"order": "o", "amount": value})
    assert shop.refunds() == []


def test_large_answers_are_cut_and_stay_json(shop: Shop) -> None:
    shop.ask(
        "INSERT INTO refunds (order_id, amount) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT 'order-' || i || '-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', 1 FROM n"
    )
    receipt = perform(shop.tool("SELECT * FROM refunds"), {})
    assert receipt.receipt == "3000 rows"
    assert receipt.returned == ()
    assert 0 < len(json.loads(receipt.output)) <= 1000
    assert len(receipt.output) <= 65536
    assert perform(shop.tool("UPDATE refunds SET amount = 2"), {}, "k-2").receipt == "3000 rows"
    assert perform(shop.tool("UPDATE refunds SET amount = 2 WHERE order_id = 'nobody'"), {}, "k-3").receipt == "0 rows"


def test_remit_makes_no_database(tmp_path: Path) -> None:
    tool = SqlEffect(SqlStatement(database=f"sqlite:///{tmp_path}/none.db", statement="SELECT 1"), {})
    with pytest.raises(Refused, match="no such database"):
        perform(tool, {})
    with pytest.raises(Broken):
        probe(tool, {})
    assert list(tmp_path.iterdir()) == []
    for text in ("shop.db", "sqlite:///shop.db", "mysql://h/d", "sqlite://x"):
        with pytest.raises(BadInput):
            SqlEffect(SqlStatement(database=text, statement="SELECT 1"), {}).preview({})


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("nothing of the kind " * 100)
    tool = SqlEffect(SqlStatement(database=f"{tmp_path}/x.db", statement="SELECT 1"), {})
    with pytest.raises(Refused):
        perform(tool, {})
    with pytest.raises(Broken):
        probe(tool, {})


def test_a_database_that_is_held_by_another_is_refused_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from remit.adapters.effects import sql_sqlite

    monkeypatch.setattr(sql_sqlite, "PATIENCE", 0.05)
    shop = sqlite_shop(tmp_path)
    other = sqlite3.connect(shop.address.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Refused, match="locked"):
        perform(shop.tool())
    with pytest.raises(Broken, match="locked"):
        probe(shop.tool())
    other.close()


def test_the_question_waits_for_whoever_still_holds_the_key(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    from remit.adapters.effects import sql_postgres

    shop = postgres_shop(cluster)
    perform(shop.tool(), key="k-0")
    monkeypatch.setattr(sql_postgres, "PATIENCE", 1)
    with psycopg.connect(shop.address) as other:
        other.execute("INSERT INTO remit_effects (key, same, receipt, output) VALUES ('k-1', 'x', '', '')")
        for ask in (perform, probe):
            with pytest.raises(Broken, match="still under way"):
                ask(shop.tool())
        other.rollback()
    assert probe(shop.tool()) is None
    assert len(shop.refunds()) == 1


def test_a_statement_that_takes_too_long_is_taken_back(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    from remit.adapters.effects import sql_postgres

    monkeypatch.setattr(sql_postgres, "PATIENCE", 1)
    tool = postgres_shop(cluster).tool("SELECT pg_sleep(30)")
    with pytest.raises(Refused, match="timeout"):
        perform(tool, {})
    assert probe(tool, {}) is None


def test_a_server_that_goes_away_under_the_statement_has_changed_nothing(cluster: Cluster) -> None:
    shop = postgres_shop(cluster)
    tool = shop.tool("INSERT INTO refunds (order_id, note) SELECT :order, pg_terminate_backend(pg_backend_pid())::text")
    with pytest.raises(Refused, match="nothing was changed"):
        perform(tool, {"order": "o-1"})
    assert shop.refunds() == []
    assert probe(tool, {"order": "o-1"}) is None


def test_a_server_that_goes_away_under_the_commit_is_doubt(cluster: Cluster) -> None:
    shop = postgres_shop(cluster)
    shop.ask(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"
    )
    shop.ask(
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON refunds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"
    )
    with pytest.raises(Broken, match="lost while it kept the change"):
        perform(shop.tool())
    assert probe(shop.tool()) is None
    assert shop.refunds() == []


def test_a_server_that_nobody_reaches_is_refused_and_tells_no_password() -> None:
    tool = SqlEffect(
        SqlStatement(database="postgresql://u:$PW@127.0.0.1:$PORT/d", statement="SELECT 1"),
        {"PW": "pw-123456", "PORT": str(closed_port())},
    )
    for ask, kind in ((perform, Refused), (probe, Broken)):
        with pytest.raises(kind) as caught:
            ask(tool, {})
        assert "pw-123456" not in str(caught.value)


def test_a_user_who_may_not_make_tables_can_use_the_one_that_is_there(cluster: Cluster) -> None:
    shop = postgres_shop(cluster)
    role = f"clerk_{shop.address.rpartition('/')[2]}"
    perform(shop.tool(), key="k-0", arguments={"order": "o-0", "amount": 1})
    shop.ask(f"CREATE ROLE {role} LOGIN")
    shop.ask(f"GRANT SELECT, INSERT, UPDATE ON refunds, remit_effects TO {role}")
    clerk = Shop(shop.address.replace("remit:pg-secret-77", role), shop.ask)
    assert perform(clerk.tool()).receipt == "1 row"
    shop.ask(f"REVOKE INSERT ON refunds FROM {role}")
    with pytest.raises(Refused, match="permission denied"):
        perform(clerk.tool(), {"order": "o-9", "amount": 1}, "k-9")


def test_without_its_driver_postgres_says_what_to_install_and_sqlite_works(tmp_path: Path) -> None:
    shop = sqlite_shop(tmp_path)
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from remit.adapters.effects.sql import SqlEffect\nfrom remit.contract.binding import SqlStatement\nfrom remit.errors import *\n"
        f"print(SqlEffect(SqlStatement(database={shop.address!r}, statement='SELECT 1'), {{}}).preview({{}}))\n"
        "try: SqlEffect(SqlStatement(database='postgresql://h/d', statement='SELECT 1'), {}).preview({})\n"
        "except Unavailable as error: print(error.hint)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "pip install remit[sql]"
