"""The texts that people sign: what was asked or reached, what was said, by whom, when."""

ANSWER = "remit-answer"
ACCEPTANCE = "remit-acceptance"
"""namespaces of signatures: one never passes for the other"""


def answer_statement(run: str, question: str, answer: str, person: str, digest: str, contract: str, at: str) -> str:
    """The text an answer signs: what was asked, of which contract, what was said, by whom, when."""
    return (
        f"remit.answer/1\nrun: {run}\nquestion: {question}\nanswer: {answer}\nperson: {person}\n"
        f"action: {digest}\ncontract: {contract}\nat: {at}\n"
    )


def acceptance_statement(run: str, acceptance: str, person: str, contract: str, sealed: str, at: str) -> str:
    """The text an acceptance signs: which outcome, under which contract, taken or declined, by whom, when."""
    return (
        f"remit.acceptance/1\nrun: {run}\nacceptance: {acceptance}\nperson: {person}\n"
        f"contract: {contract}\noutcome: {sealed}\nat: {at}\n"
    )


def read_statement(text: str) -> dict[str, str]:
    """The lines of a statement by name; `form` is its first line. A line without a name makes it no statement: empty."""
    first, *rest = text.splitlines()
    fields = {"form": first}
    for line in rest:
        name, colon, value = line.partition(": ")
        if not colon or name in fields:
            return {}
        fields[name] = value
    return fields
