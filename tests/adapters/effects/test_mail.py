"""The mail effect against a real SMTP server: all or nobody, and what a failure says is true."""

import json
import re
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smtp_sink import Certificate, Sink, nobody_listens

from remit.adapters.effects.arguments import readable
from remit.adapters.effects.mail import MailEffect
from remit.adapters.smtp import place
from remit.contract.binding import MailServer, SendMail
from remit.errors import BadInput, Broken, Refused
from remit.ports.effects import Performer, Receipt

SENDER = "release-notes@example.com"
FIRST, SECOND = "support-lead@example.com", "owner@example.com"
LETTER: Mapping[str, Any] = {"to": FIRST, "subject": "Refund", "body": "Your refund is on its way.\n"}


def effect(server: str, environment: Mapping[str, str] | None = None, **options: Any) -> MailEffect:
    options = {"security": "none", "sender": SENDER} | options
    return MailEffect(SendMail(server=MailServer(server=server, **options)), environment or {})


def perform(on: Performer, arguments: Mapping[str, Any] = LETTER, key: str = "run:1:send") -> Receipt:
    async def performed() -> Receipt:
        return await on.perform(key, arguments, workspace=Path())

    return anyio.run(performed)


def test_a_message_arrives_as_it_was_given(sink: Sink) -> None:
    receipt = perform(effect(sink.server), LETTER | {"cc": [SECOND], "reply_to": SENDER})
    (kept,) = sink.letters
    assert (kept.sender, kept.recipients) == (SENDER, (FIRST, SECOND))
    heads = {name: kept.message[name] for name in ("From", "To", "Cc", "Reply-To", "Subject")}
    assert heads == {"From": SENDER, "To": FIRST, "Cc": SECOND, "Reply-To": SENDER, "Subject": "Refund"}
    assert kept.message.get_content().replace("\r\n", "\n") == LETTER["body"]
    assert receipt.returned == (kept.message["Message-ID"],)
    assert receipt.receipt == f"250 2.0.0 OK: queued as 1, Message-ID {kept.message['Message-ID']}"
    assert json.loads(receipt.output)["to"] == [FIRST, SECOND]


def test_the_message_id_comes_from_the_key_and_tells_nothing_of_it(sink: Sink) -> None:
    for key in ("run:1:send", "run:1:send", "run:2:send"):
        perform(effect(sink.server), key=key)
    first, again, other = (kept.message["Message-ID"] for kept in sink.letters)
    assert first == again != other
    assert re.fullmatch(r"<[0-9a-f]{40}@example\.com>", first)


def test_a_blind_copy_is_in_the_envelope_only(sink: Sink) -> None:
    perform(effect(sink.server), LETTER | {"bcc": SECOND})
    assert sink.letters[0].recipients == (FIRST, SECOND)
    assert SECOND.encode() not in sink.letters[0].data


def test_everybody_named_twice_gets_it_once(sink: Sink) -> None:
    perform(effect(sink.server), LETTER | {"to": [FIRST, SECOND, FIRST], "cc": SECOND})
    assert sink.letters[0].recipients == (FIRST, SECOND)


@pytest.mark.parametrize(
    "body", [".", ".\n..\n.end\n", "Grüße, 5 €\n", "x" * 5000, "", "a\n\n\nb", "From here\n", "tab\there", "🙂" * 900]
)
def test_every_body_arrives_whole(sink: Sink, body: str) -> None:
    perform(effect(sink.server), LETTER | {"body": body})
    arrived = sink.letters[0].message.get_content().replace("\r\n", "\n")
    assert arrived.removesuffix("\n") == body.removesuffix("\n")
    assert all(len(line) <= 998 for line in sink.letters[0].data.split(b"\r\n"))


@pytest.mark.parametrize("subject", ["Grüße 🙂", "x" * 900, "ö" * 500, "", "a  b", " a ", "a: b; <c@example.com>"])
def test_every_subject_arrives_whole(sink: Sink, subject: str) -> None:
    perform(effect(sink.server), LETTER | {"subject": subject})
    assert sink.letters[0].message["Subject"] == subject.strip(" ")
    assert sink.letters[0].recipients == (FIRST,)


def test_a_long_sender_domain_keeps_the_message_id_whole(sink: Sink) -> None:
    domain = ".".join(["a" * 60, "b" * 60, "example.com"])
    receipt = perform(effect(sink.server, sender=f"notes@{domain}"))
    assert receipt.returned[0].encode() in sink.letters[0].data
    assert receipt.returned[0].endswith(f"@{domain}>")


def test_a_sender_may_carry_a_name(sink: Sink) -> None:
    perform(effect(sink.server, sender=f"Rückgabe, Team <{SENDER}>"))
    sender = sink.letters[0].message["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec, sink.letters[0].sender) == ("Rückgabe, Team", SENDER, SENDER)


def test_the_preview_shows_everybody_and_everything() -> None:
    shown = effect("localhost:25").preview(LETTER | {"cc": [SECOND], "bcc": ["audit@example.com"], "reply_to": FIRST})
    assert shown == (
        f"From: {SENDER}\nTo: {FIRST}\nCc: {SECOND}\nBcc: audit@example.com\nReply-To: {FIRST}\n"
        "Subject: Refund\n\nYour refund is on its way.\n"
    )


def test_the_preview_hides_nothing_behind_direction_characters() -> None:
    assert "\\u202e" in effect("localhost:25").preview(LETTER | {"body": "pay \u202e05"})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"to": ""}, "no e-mail address"),
        ({"to": []}, "no recipient"),
        ({"to": None}, "address or a list"),
        ({"to": {"a": 1}}, "address or a list"),
        ({"to": [FIRST, 1]}, "address or a list"),
        ({"to": f"{FIRST}, {SECOND}"}, "no e-mail address"),
        ({"to": f"Owner <{FIRST}>"}, "no e-mail address"),
        ({"to": f"{FIRST}\r\nBcc: {SECOND}"}, "no e-mail address"),
        ({"to": f"{FIRST}\n"}, "no e-mail address"),
        ({"to": "nobody"}, "no e-mail address"),
        ({"to": "a@b@example.com"}, "no e-mail address"),
        ({"to": "@example.com"}, "no e-mail address"),
        ({"to": ".a@example.com"}, "no e-mail address"),
        ({"to": "a@-example.com"}, "no e-mail address"),
        ({"to": "ä@example.com"}, "no e-mail address"),
        ({"to": f"{'a' * 65}@example.com"}, "no e-mail address"),
        ({"to": f"a@{'b.' * 130}com"}, "no e-mail address"),
        ({"to": "a@example.com\x00"}, "no e-mail address"),
        ({"cc": "a b@example.com"}, "no e-mail address"),
        ({"bcc": "a@example.com>"}, "no e-mail address"),
        ({"reply_to": "(x)a@example.com"}, "no e-mail address"),
        ({"subject": f"x\r\nBcc: {SECOND}"}, "line break"),
        ({"subject": "x\ny"}, "line break"),
        ({"subject": "x\u2028y"}, "line break"),
        ({"subject": "=?utf-8?q?x?="}, "read as something else"),
        ({"to": "=?utf-8?q?x?=@example.com"}, "no e-mail address"),
        ({"subject": None}, "missing"),
        ({"subject": 7}, "must be text"),
        ({"body": ["a"]}, "must be text"),
        ({"body": "a\x1b[31mb"}, "control"),
        ({"body": "a\rb"}, "control"),
        ({"body": "\ud800"}, "half of a character"),
        ({"attachment": "x"}, "no place"),
        ({"from": FIRST}, "no place"),
    ],
)
def test_what_cannot_be_a_message_is_refused_before_anything_is_sent(sink: Sink, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        effect(sink.server).preview(LETTER | changed)
    with pytest.raises(BadInput, match=words):
        perform(effect(sink.server), LETTER | changed)
    assert (sink.letters, sink.commands) == ([], [])


@given(to=st.text(max_size=40), subject=st.text(max_size=40), body=st.text(max_size=80))
def test_no_text_becomes_a_line_that_was_not_meant(to: str, subject: str, body: str) -> None:
    try:
        shown = effect("localhost:25").preview({"to": to, "subject": subject, "body": body})
    except BadInput:
        return
    assert shown.split("\n")[:4] == [f"From: {SENDER}", f"To: {to}", f"Subject: {subject}", ""]


def test_what_is_shown_is_what_arrives(sink: Sink) -> None:
    on = effect(sink.server)

    @given(subject=st.text(max_size=120), body=st.text(max_size=300))
    def check(subject: str, body: str) -> None:
        letter = {"to": FIRST, "subject": subject, "body": body}
        try:
            shown = on.preview(letter)
        except BadInput:
            return
        perform(on, letter)
        message = sink.letters.pop().message
        arrived = f"From: {SENDER}\nTo: {FIRST}\nSubject: {message['Subject']}\n\n{message.get_content()}"
        assert readable(arrived.replace("\r\n", "\n")).rstrip("\n") == shown.rstrip("\n")

    check()


@pytest.mark.parametrize("answer", ["550 5.1.1 nobody here", "451 4.7.1 come back later"])
def test_a_recipient_that_is_refused_keeps_it_from_all(sink: Sink, answer: str) -> None:
    sink.refuse = {SECOND: answer}
    with pytest.raises(Refused, match=f"1 of 2 recipients, so nobody: {SECOND}: {answer}"):
        perform(effect(sink.server), LETTER | {"cc": SECOND})
    assert sink.letters == []
    assert not any(each.startswith("DATA") for each in sink.commands)


@pytest.mark.parametrize("step", ["to_mail", "to_data", "to_body"])
@pytest.mark.parametrize("answer", ["550 5.7.1 not from you", "452 4.3.1 the disk is full"])
def test_a_refusal_at_any_step_is_certain_and_in_the_words_of_the_server(sink: Sink, step: str, answer: str) -> None:
    setattr(sink, step, answer)
    with pytest.raises(Refused, match=answer):
        perform(effect(sink.server))
    assert sink.letters == []


@pytest.mark.parametrize("step", ["at greeting", "at MAIL", "at DATA"])
def test_a_connection_that_ends_before_the_body_is_certain(sink: Sink, step: Any) -> None:
    sink.hang_up = step
    with pytest.raises(Refused, match="nothing was sent"):
        perform(effect(sink.server))
    assert sink.letters == []


def test_a_connection_that_ends_after_the_body_leaves_doubt(sink: Sink) -> None:
    sink.hang_up = "after body"
    with pytest.raises(Broken, match="on its way"):
        perform(effect(sink.server))
    assert len(sink.letters) == 1


def test_a_connection_that_ends_while_the_body_is_sent_leaves_doubt(sink: Sink) -> None:
    sink.hang_up = "in body"
    with pytest.raises(Broken, match="on its way"):
        perform(effect(sink.server), LETTER | {"body": "line\n" * 200_000})


@pytest.mark.parametrize("answer", ["421 4.4.2 I give up", "354 what", "999 what", "nonsense"])
def test_an_answer_that_decides_nothing_leaves_doubt(sink: Sink, answer: str) -> None:
    sink.to_body = answer
    with pytest.raises(Broken, match="did not say"):
        perform(effect(sink.server))


def test_nobody_listening_is_certain() -> None:
    with nobody_listens() as place, pytest.raises(Refused, match=r"nothing was sent to localhost:.*refused"):
        perform(effect(place))


def test_a_server_that_says_nothing_is_certain_and_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remit.adapters.smtp.PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Refused, match="nothing was sent"):
        perform(effect(f"127.0.0.1:{silent.getsockname()[1]}"))


def test_what_is_not_smtp_is_certain() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            peer, _ = other.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Refused, match="nothing was sent"):
            perform(effect(f"127.0.0.1:{other.getsockname()[1]}"))
        thread.join()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_message_goes_over_tls_with_a_password(certified: Certificate, monkeypatch: pytest.MonkeyPatch, security: Any) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.authority))
    with Sink(users={"robot": "open sesame"}, security=security, certificate=certified) as sink:
        login = {"user": "robot", "password": "$MAIL_PASSWORD", "security": security}
        receipt = perform(effect(sink.server, {"MAIL_PASSWORD": "open sesame"}, **login))
        with pytest.raises(Refused, match="does not take the user and password: 535"):
            perform(effect(sink.server, {"MAIL_PASSWORD": "open barley"}, **login))
        with pytest.raises(BadInput, match="MAIL_PASSWORD"):
            perform(effect(sink.server, {}, **login))
    assert len(sink.letters) == 1
    assert "sesame" not in repr(receipt)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_does_not_hold_is_certain(certified: Certificate, security: Any) -> None:
    with Sink(security=security, certificate=certified) as sink:
        with pytest.raises(Refused, match="its certificate does not hold"):
            perform(effect(sink.server, security=security))
        assert (sink.letters, sink.commands) == ([], [])


def test_a_certificate_for_another_host_is_certain(certified: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.authority))
    with Sink(security="starttls", certificate=certified, host="127.0.0.1") as sink, pytest.raises(Refused, match="certificate"):
        perform(effect(sink.server, security="starttls"))


def test_a_server_without_starttls_gets_nothing(sink: Sink) -> None:
    with pytest.raises(Refused, match="STARTTLS"):
        perform(effect(sink.server, security="starttls", user="robot", password="x"))
    assert (sink.letters, sink.commands) == ([], [])


def test_a_password_never_goes_out_in_the_clear_beyond_this_machine() -> None:
    with pytest.raises(BadInput, match="without TLS"):
        perform(effect("mail.example.com:25", user="robot", password="x"))


def test_what_the_server_echoes_of_a_password_is_covered_up() -> None:
    with Sink(users={"robot": "open sesame"}, to_body="550 no, open sesame\x1b[2J") as sink:
        login = {"user": "robot", "password": "$MAIL_PASSWORD"}
        with pytest.raises(Refused) as refused:
            perform(effect(sink.server, {"MAIL_PASSWORD": "open sesame"}, **login))
    assert str(refused.value).endswith("550 no, $MAIL_PASSWORD [2J")


@pytest.mark.parametrize(
    "server", ["", "mail example", "mail.example.com:0", "mail.example.com:70000", "http://mail:25", "a:b:c"]
)
def test_a_server_that_cannot_be_one_is_refused_at_once(server: str) -> None:
    with pytest.raises(BadInput, match="no mail server"):
        effect(server)


@pytest.mark.parametrize(
    ("server", "security", "found"),
    [
        ("mail.example.com:25", "tls", ("mail.example.com", 25)),
        ("mail.example.com", "starttls", ("mail.example.com", 587)),
        ("mail.example.com", "tls", ("mail.example.com", 465)),
        ("localhost", "none", ("localhost", 25)),
        ("[::1]:2525", "none", ("::1", 2525)),
    ],
)
def test_a_server_without_a_port_has_the_usual_one(server: str, security: Any, found: tuple[str, int]) -> None:
    assert place(MailServer(server=server, sender=SENDER, security=security)) == found


@pytest.mark.parametrize("sender", ["", "nobody", "a <b", "x\ny <a@example.com>", "<a@example.com>, b@example.com"])
def test_a_sender_that_cannot_be_one_is_refused_at_once(sender: str) -> None:
    with pytest.raises(BadInput):
        effect("mail.example.com:25", sender=sender)


def test_nothing_is_promised_that_smtp_does_not_keep() -> None:
    mail = effect("mail.example.com:25")
    assert (mail.window, mail.probes) == (None, False)

    async def asked() -> None:
        await mail.probe("run:1:send", LETTER, workspace=Path())

    with pytest.raises(Broken, match="cannot be asked"):
        anyio.run(asked)
