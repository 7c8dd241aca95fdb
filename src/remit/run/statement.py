"""The texts that people sign: what was asked or reached, what was said, by whom, when."""

ANSWER = "remit-answer"
ACCEPTANCE = "remit-acceptance"
OWNERSHIP = "remit-ownership"
"""namespaces of signatures: one never passes for the other"""


def answer_statement(
    run: str, question: str, answer: str, person: str, digest: str, contract: str, at: str, *,
    becomes: str = "", conditions: str = "", receipt: str = "",
) -> str:  # fmt: skip
    """The text an answer signs: what was asked, of which contract, what was said, by whom, when.

    A change names the digest the action becomes and that of the conditions added; what is known of a doubt, the receipt's digest.
    """
    more = (("becomes", becomes), ("conditions", conditions), ("receipt", receipt))
    return (
        f"remit.answer/1\nrun: {run}\nquestion: {question}\nanswer: {answer}\nperson: {person}\n"
        f"action: {digest}\ncontract: {contract}\nat: {at}\n" + "".join(f"{name}: {text}\n" for name, text in more if text)
    )


def ownership_statement(run: str, word: str, person: str, to: str, contract: str, at: str) -> str:
    """The text an offer, an acceptance or a refusal of ownership signs; `word` is `offered`, `accepted` or `declined`."""
    return f"remit.ownership/1\nrun: {run}\nownership: {word}\nperson: {person}\nto: {to}\ncontract: {contract}\nat: {at}\n"


def acceptance_statement(run: str, acceptance: str, person: str, contract: str, sealed: str, at: str) -> str:
    """The text an acceptance signs: which outcome, under which contract, taken or declined, by whom, when."""
    return (
        f"remit.acceptance/1\nrun: {run}\nacceptance: {acceptance}\nperson: {person}\n"
        f"contract: {contract}\noutcome: {sealed}\nat: {at}\n"
    )


def read_statement(text: str) -> dict[str, str]:
    """The lines of a statement by name; `form` is its first line. A line without a name makes it no statement: empty."""
    first, *rest = text.splitlines() or [""]
    fields = {"form": first}
    for line in rest:
        name, colon, value = line.partition(": ")
        if not colon or name in fields:
            return {}
        fields[name] = value
    return fields
