"""An organisation as the canonical text that reads back to an equal organisation."""

from typing import Any

from remit.contract.amounts import time_text
from remit.contract.binding import (
    Binding,
    GitPush,
    HttpRequest,
    MailServer,
    McpServer,
    McpTool,
    PublishFile,
    SendMail,
    SqlStatement,
)
from remit.contract.heavy import Heavy, Need
from remit.contract.parse_heavy import usual_needs
from remit.contract.party import Organisation, Person
from remit.contract.print import block, limits_tree, models_tree, rule_tree, some, tool_tree
from remit.contract.print_condition import Plain


def print_organisation(organisation: Organisation) -> str:
    """YAML with the keys in their usual order; rules are grouped by effect in the order the effects first appear."""
    usual = Organisation()
    tree: dict[str, Any] = {
        "name": organisation.name,
        "people": [_person(person) for person in organisation.people],
        "known": {register.name: list(register.members) for register in organisation.registers},
    }
    for effect in dict.fromkeys(rule.effect for rule in organisation.rules):
        group = [rule for rule in organisation.rules if rule.effect == effect]
        tree[effect] = [rule_tree(rule, f"{effect}-{rule.verb}-{number}") for number, rule in enumerate(group, 1)]
    tools = {
        tool.name: tool_tree(tool) | ({"does": _does(tool.does)} if tool.does is not None else {}) for tool in organisation.tools
    }
    tree |= {
        "tools": tools,
        "limits": limits_tree(organisation.limits),
        "assurance": organisation.assurance,
        "four eyes": Plain(text="true") if organisation.four_eyes else None,
        "mail": _mail(organisation.mail) if organisation.mail is not None else None,
        "inbox": organisation.inbox,
        "inbox keys": list(organisation.inbox_keys),
        "models": models_tree(organisation.models),
        "heavy": [_heavy(entry) for entry in organisation.heavy or ()],
        "servers": {server.name: _server(server) for server in organisation.servers},
    }
    kept = some(tree)
    if organisation.secrets != usual.secrets:
        kept["secrets"] = list(organisation.secrets)
    if organisation.heavy == ():
        kept["heavy"] = []
    return "".join(f"{line}\n" for line in block(kept))


# ---------------------------------------------------------------------------------------------------------------------


def _person(person: Person) -> dict[str, Any]:
    signing = [rule_tree(rule, f"sign-{person.id}-{rule.verb}-{number}") for number, rule in enumerate(person.may_sign, 1)]
    return some(
        {
            "id": person.id,
            "name": person.name,
            "roles": list(person.roles),
            "keys": list(person.keys),
            "contact": person.contact,
            "answers to": person.answers_to,
            "substitutes": list(person.substitutes),
            "may sign": signing,
            "signs tier": person.signs_tier if person.signs_tier != "human-approved" else None,
        }
    )


def _heavy(entry: Heavy) -> dict[str, Any]:
    needs = list(entry.needs) if entry.needs != usual_needs(entry.words) else None
    words = {need.name: _need(need) for need in entry.words}
    return some({"runtime": list(entry.runtimes), "for": needs, "words": words, "unless": list(entry.unless)})


def _need(need: Need) -> Any:
    phrases = list(need.words)
    return {"phrases": phrases, "rule": {need.verb: need.object}} if need.verb else phrases


def _mail(server: MailServer) -> dict[str, Any]:
    security = server.security if server.security != "starttls" else None
    tree = {"server": server.server, "from": server.sender, "security": security, "user": server.user}
    return some({**tree, "password": server.password})


def _does(binding: Binding) -> dict[str, Any]:
    match binding:
        case SendMail():
            return {"mail": _mail(binding.server)}
        case HttpRequest():
            return {"http": _http(binding)}
        case GitPush():
            return {"git push": {"remote": binding.remote}}
        case SqlStatement():
            return {"sql": {"database": binding.database, "statement": binding.statement}}
        case PublishFile():
            return {"file": {"folder": binding.folder}}
        case McpTool():
            return {"mcp": _mcp(binding)}


def _server(server: McpServer) -> dict[str, Any]:
    tree = {"run": list(server.run), "url": server.url, "headers": dict(server.headers), "env": dict(server.env)}
    return some({**tree, "tier": server.tier})


def _mcp(tool: McpTool) -> dict[str, Any]:
    errors = tool.errors if tool.what == "tool" else None
    return some({"server": tool.server.name, tool.what: tool.name, "pin": tool.pin, "errors": errors})


def _http(request: HttpRequest) -> dict[str, Any]:
    usual = HttpRequest(url="")
    return some(
        {
            "method": request.method,
            "url": request.url,
            "headers": dict(request.headers),
            "body": request.body if request.body != usual.body else None,
            "key header": request.key_header if request.key_header != usual.key_header else None,
            "honours key": Plain(text=time_text(request.window)) if request.window is not None else None,
            "probe": request.probe,
        }
    )
