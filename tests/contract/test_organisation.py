"""An organisation file says who is who, who stands in, and what a tool really does; a contract never does."""

import pytest
from contracts import REFUND
from hypothesis import given
from organisations import organisations

from remit.contract.address import address
from remit.contract.binding import GitPush, HttpRequest, MailServer, PublishFile, SendMail, SqlStatement
from remit.contract.parse import ParsedOrganisation, parse, parse_organisation
from remit.contract.party import Organisation, Tool
from remit.contract.print_organisation import print_organisation

SERVER = MailServer(server="smtp.example.com:587", sender="desk@example.com")


def read(text: str) -> ParsedOrganisation:
    return parse_organisation(text, file="o")


def told(text: str) -> list[str]:
    """Every finding: place, code, where."""
    return [f"{finding.mark} {finding.code} {finding.where}" for finding in read(text).findings]


def tool(does: str) -> Tool:
    organisation = read(
        f"mail: {{server: smtp.example.com:587, from: desk@example.com}}\ntools:\n  act:\n    does: {does}\n"
    ).organisation
    assert organisation is not None
    return organisation.tools[0]


@given(organisations())
def test_any_organisation_printed_reads_back_as_itself(organisation: Organisation) -> None:
    text = print_organisation(organisation)
    parsed = read(text)
    assert [finding for finding in parsed.findings if finding.severity == "error"] == [], text
    assert parsed.organisation == organisation, text
    assert address(parsed.organisation) == address(organisation)
    assert print_organisation(parsed.organisation) == text


@pytest.mark.parametrize(
    ("does", "binding"),
    [
        ("mail", SendMail(server=SERVER)),
        ("{mail: {server: smtp.example.com:25, from: a@example.com, security: none}}",
         SendMail(server=MailServer(server="smtp.example.com:25", sender="a@example.com", security="none"))),
        ("{http: {url: 'https://pay.example.com/{order_id}', headers: {Authorization: Bearer $PAY}, honours key: 24h}}",
         HttpRequest(url="https://pay.example.com/{order_id}", headers=(("Authorization", "Bearer $PAY"),), window=86400)),
        ("{http: {method: PUT, url: 'https://a.example.com', body: none, key header: X-Key, probe: 'https://a.example.com/{key}'}}",
         HttpRequest(method="PUT", url="https://a.example.com", body="none", key_header="X-Key", probe="https://a.example.com/{key}")),
        ("{git push: {remote: 'https://git.example.com/x.git'}}", GitPush(remote="https://git.example.com/x.git")),
        ("{sql: {database: orders.db, statement: 'update a set b = :b'}}",
         SqlStatement(database="orders.db", statement="update a set b = :b")),
        ("{file: {folder: /srv/site}}", PublishFile(folder="/srv/site")),
    ],
)  # fmt: skip
def test_a_tool_is_bound_to_what_it_really_does(does: str, binding: object) -> None:
    assert tool(does).does == binding


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tools: {act: {does: mail}}", ["o:1:21 NO-MAIL tools.act.does"]),
        ("tools: {act: {does: post}}", ["o:1:21 UNKNOWN-WORD tools.act.does"]),
        ("tools: {act: {does: {}}}", ["o:1:21 NOT-UNDERSTOOD tools.act.does"]),
        ("tools: {act: {does: {fax: {}}}}", ["o:1:22 UNKNOWN-KEY tools.act.does.fax"]),
        ("tools: {act: {does: {file: {folder: a}, git push: {remote: b}}}}", ["o:1:21 NOT-UNDERSTOOD tools.act.does"]),
        ("tools: {act: {does: {file: {}}}}", ["o:1:28 NOT-UNDERSTOOD tools.act.does.file.folder"]),
        ("tools: {act: {does: {git push: {remote: --upload-pack=x}}}}", ["o:1:41 NOT-UNDERSTOOD tools.act.does.git push.remote"]),
        ("tools: {act: {does: {sql: {database: a b, statement: s}}}}", ["o:1:38 NOT-UNDERSTOOD tools.act.does.sql.database"]),
        ("tools: {act: {does: {http: {url: ftp://a}}}}", ["o:1:34 URL tools.act.does.http.url"]),
        ("tools: {act: {does: {http: {url: 'https://{host}/a'}}}}", ["o:1:34 URL tools.act.does.http.url"]),
        ("tools: {act: {does: {http: {url: 'https://u:p@a.example.com/'}}}}", ["o:1:34 URL tools.act.does.http.url"]),
        ("tools: {act: {does: {http: {url: https://a, probe: https://a/x}}}}", ["o:1:52 URL tools.act.does.http.probe"]),
        ("tools: {act: {does: {http: {url: https://a, honours key: 24}}}}", ["o:1:58 TIME tools.act.does.http.honours key"]),
        ("tools: {act: {does: {http: {url: https://a, headers: {'a b': c}}}}}", ["o:1:55 HEADER tools.act.does.http.headers.a b"]),
        ("tools: {act: {does: {http: {url: https://a, headers: {a: c, A: d}}}}}", ["o:1:61 HEADER tools.act.does.http.headers.A"]),
        ("mail: {from: a@example.com}", ["o:1:7 NOT-UNDERSTOOD mail.server"]),
        ("mail: {server: smtp.example.com, from: a@example.com}", ["o:1:16 HOST mail.server"]),
        ("mail: {server: a:25, from: nobody}", ["o:1:28 ADDRESS mail.from"]),
        ("mail: {server: a:25, from: a@b, security: ssl}", ["o:1:43 UNKNOWN-WORD mail.security"]),
        ("inbox: inbox.example.com", ["o:1:8 URL inbox"]),
        ("four eyes: maybe", ["o:1:12 NOT-UNDERSTOOD four eyes"]),
        ("people: [{id: a, contact: pigeon}]", ["o:1:27 CONTACT-UNKNOWN people[0].contact"]),
        ("people: [{id: a, contact: 'http://chat.example.com/x'}]", ["o:1:27 CONTACT-UNKNOWN people[0].contact"]),
        ("people: [{id: a, contact: 'mail:a'}]", ["o:1:27 CONTACT-UNKNOWN people[0].contact"]),
        ("people: [{id: a, signs tier: low}]", ["o:1:30 UNKNOWN-WORD people[0].signs tier"]),
        ("people: [{id: a, substitutes: [b]}]", ["o:1:31 UNKNOWN-PERSON people[0].substitutes"]),
        ("people: [{id: a, answers to: b}]", ["o:1:30 UNKNOWN-PERSON people[0].answers to"]),
        ("people: [{id: a, answers to: a}]", ["o:1:30 ANSWERS-IN-A-CIRCLE people[0].answers to"]),
        ("people: [{id: a, substitutes: [a]}]", ["o:1:31 ANSWERS-IN-A-CIRCLE people[0].substitutes"]),
        ("people: [{id: a, answers to: b}, {id: b, answers to: c}, {id: c, answers to: b}]",
         ["o:1:54 ANSWERS-IN-A-CIRCLE people[1].answers to", "o:1:78 ANSWERS-IN-A-CIRCLE people[2].answers to"]),
        ("people: [{id: a, roles: [x]}]\nask: [{push: main, who: x, quorum: 2}]", ["o:2:7 QUORUM-UNREACHABLE rule ask-push-1"]),
        ("ask: [{push: main, quorum: 2}]", ["o:1:28 NOT-UNDERSTOOD ask[0].quorum"]),
        ("never: [{push: main, quorum: 2}]", ["o:1:9 NOT-UNDERSTOOD never[0].quorum"]),
        ("ask: [{push: main, who: a, quorum: 0}]", ["o:1:36 NOT-UNDERSTOOD ask[0].quorum"]),
    ],
)  # fmt: skip
def test_every_mistake_of_an_organisation_file_has_its_place(text: str, found: list[str]) -> None:
    assert told(text) == found
    assert read(text).organisation is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mail: {server: a:25, from: a@b, password: hunter2}", ["o:1:43 SECRET-IN-FILE mail.password"]),
        ("mail: {server: a:25, from: a@b, password: $ecret!}", ["o:1:43 SECRET-IN-FILE mail.password"]),
        ("mail: {server: a:25, from: a@b, password: $SECRET}", []),
        ("tools: {act: {does: {http: {url: https://a, headers: {Authorization: Bearer abc}}}}}",
         ["o:1:70 SECRET-IN-FILE tools.act.does.http.headers.Authorization"]),
        ("tools: {act: {does: {http: {url: https://a, headers: {X-Api-Key: $KEY, Accept: text/plain}}}}}", []),
        ("tools: {act: {does: {git push: {remote: 'https://u:p@git.example.com/x'}}}}",
         ["o:1:41 SECRET-IN-FILE tools.act.does.git push.remote"]),
        ("tools: {act: {does: {sql: {database: 'postgresql://u:p@db/x', statement: s}}}}",
         ["o:1:38 SECRET-IN-FILE tools.act.does.sql.database"]),
    ],
)  # fmt: skip
def test_a_secret_in_the_file_is_a_warning_and_a_variable_is_none(text: str, found: list[str]) -> None:
    assert told(text) == found
    assert read(text).organisation is not None


@pytest.mark.parametrize(
    "contact", ["mail:a@example.com", "https://chat.example.com/h?x=1", "http://127.0.0.1:80/h", "apprise:slack://a/b"]
)
def test_a_contact_says_how_a_page_arrives(contact: str) -> None:
    organisation = read(f"people: [{{id: a, contact: '{contact}'}}]").organisation
    assert organisation is not None
    assert organisation.people[0].contact == contact


def test_only_the_organisation_binds_tools() -> None:
    parsed = parse(REFUND + "tools: {refund: {does: {file: {folder: /}}}}\n", file="c")
    assert [(finding.code, finding.where) for finding in parsed.findings] == [("BINDING-IN-CONTRACT", "tools.refund.does")]
    assert parsed.contract is None
    assert parsed.draft.tools[0].does is None


def test_an_argument_can_make_the_call_irreversible() -> None:
    organisation = read("tools: {act: {arguments: {close: {type: truth, irreversible: true}, name: text}}}").organisation
    assert organisation is not None
    assert [argument.irreversible for argument in organisation.tools[0].arguments] == [True, False]


def test_equal_values_have_one_address_however_they_came_about() -> None:
    spelled = "secrets: [" + ", ".join(f'"{pattern}"' for pattern in Organisation().secrets) + "]\nassurance: terminal\n"
    given_, usual = read(spelled).organisation, Organisation()
    assert given_ == usual
    assert given_ is not None
    assert address(given_) == address(usual)
