"""Only the organisation file binds a tool to an MCP server; whose credentials that server holds is checked when it is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.contract.binding import McpServer, McpTool
from remit.contract.parse import parse, parse_organisation
from remit.contract.party import TIERS, Organisation, Tool
from remit.contract.print_organisation import print_organisation

RUN = "run: [tracker-mcp, --stdio]"
PIN = "sha256:" + "a" * 64


def read(text: str) -> Organisation:
    parsed = parse_organisation(text, file="o")
    assert parsed.organisation is not None, parsed.findings
    return parsed.organisation


def told(text: str) -> list[str]:
    """Every finding: code and where."""
    return [f"{finding.code} {finding.where}" for finding in parse_organisation(text, file="o").findings]


def tool(does: str, more: str = "", name: str = "act") -> Tool:
    return read(
        f"servers: {{tracker: {{{RUN}}}}}\ntools: {{{name}: {{does: {{mcp: {{server: tracker, {does}}}}}{more}}}}}"
    ).tools[0]


def test_a_tool_of_a_server_says_how_the_server_is_started_and_with_what() -> None:
    organisation = read(f"""\
servers:
  tracker: {{{RUN}, env: [TRACKER_TOKEN], tier: read-only}}
  tracker-write: {{{RUN}, env: {{TRACKER_TOKEN: $TRACKER_WRITE_TOKEN, LEVEL: warn}}, tier: bounded}}
  far: {{url: https://mcp.example.com/mcp, headers: {{Authorization: Bearer $FAR}}}}
tools:
  find_issue: {{tier: read-only, effect: read, does: {{mcp: {{server: tracker, tool: search_issues, pin: {PIN!r}}}}}}}
  save_issue: {{effect: queue, does: {{mcp: {{server: tracker-write, tool: update}}}}}}
  state: {{does: {{mcp: {{server: far, resource: 'deploy://status/{{service}}'}}}}}}
""")
    run = ("tracker-mcp", "--stdio")
    read_only = McpServer(name="tracker", run=run, env=(("TRACKER_TOKEN", "$TRACKER_TOKEN"),), tier="read-only")
    write = McpServer(
        name="tracker-write", run=run, env=(("TRACKER_TOKEN", "$TRACKER_WRITE_TOKEN"), ("LEVEL", "warn")), tier="bounded"
    )  # fmt: skip
    far = McpServer(name="far", url="https://mcp.example.com/mcp", headers=(("Authorization", "Bearer $FAR"),))
    assert organisation.servers == (read_only, write, far)
    assert [each.does for each in organisation.tools] == [
        McpTool(server=read_only, name="search_issues", pin=PIN, errors="nothing happened"),
        McpTool(server=write, name="update", errors="in doubt"),
        McpTool(server=far, what="resource", name="deploy://status/{service}", errors="nothing happened"),
    ]
    assert [each.effect for each in organisation.tools] == ["read", "queue", "read"]


@pytest.mark.parametrize(
    ("does", "more", "errors"),
    [
        ("tool: save", "", "in doubt"), ("tool: save", ", effect: queue", "in doubt"), ("tool: save", ", effect: read", "nothing happened"),
        ("tool: save, errors: nothing happened", "", "nothing happened"), ("tool: find, errors: in doubt", ", effect: read", "in doubt"),
        ("prompt: greet", "", "nothing happened"),
    ],
)  # fmt: skip
def test_an_error_proves_nothing_unless_the_tool_only_reads_or_it_is_said(does: str, more: str, errors: str) -> None:
    bound = tool(does, more).does
    assert isinstance(bound, McpTool)
    assert bound.errors == errors


@pytest.mark.parametrize(
    ("name", "server_name", "more", "tier"),
    [
        ("act", "save", "", "bounded"), ("act", "search", ", effect: read", "read-only"), ("act", "deploy_service", "", "high-risk"),
        ("deploy", "act", "", "high-risk"), ("act", "deploy", ", effect: read", "high-risk"),
        ("act", "deploy", ", tier: human-approved", "human-approved"), ("send_mail", "x", ", effect: read", "high-risk"),
    ],
)  # fmt: skip
def test_the_tier_is_the_declared_one_else_that_of_either_name(name: str, server_name: str, more: str, tier: str) -> None:
    assert tool(f"tool: {server_name}", more, name).tier == tier


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("servers: {a: {}}", ["NOT-UNDERSTOOD servers.a"]),
        ("servers: {a: {run: x, url: https://a}}", ["NOT-UNDERSTOOD servers.a"]),
        ("servers: {'a b': {run: x}}", ["NOT-UNDERSTOOD servers.a b"]),
        ("servers: {a: {run: x, headers: {A: b}}}", ["NOT-UNDERSTOOD servers.a.headers"]),
        ("servers: {a: {url: https://a, env: [B]}}", ["NOT-UNDERSTOOD servers.a.env"]),
        ("servers: {a: {url: http://a.example.com}}", ["URL servers.a.url"]),
        ("servers: {a: {url: 'https://u:p@a.example.com'}}", ["URL servers.a.url"]),
        ("servers: {a: {url: 'https://a.example.com/$TOKEN'}}", ["URL servers.a.url"]),
        ("servers: {a: {run: [x, --token=$TOKEN]}}", ["SECRET-IN-FILE servers.a.run"]),
        ("servers: {a: {run: x, env: [lower]}}", ["NOT-UNDERSTOOD servers.a.env"]),
        ("servers: {a: {run: x, env: [LD_PRELOAD]}}", ["NOT-UNDERSTOOD servers.a.env"]),
        ("servers: {a: {run: x, env: [B, B]}}", ["NOT-UNDERSTOOD servers.a.env"]),
        ("servers: {a: {run: x, tier: low}}", ["UNKNOWN-WORD servers.a.tier"]),
        ("servers: {a: {run: x, pin: y}}", ["UNKNOWN-KEY servers.a.pin"]),
        ("tools: {t: {does: {mcp: {tool: x}}}}", ["NOT-UNDERSTOOD tools.t.does.mcp.server"]),
        ("tools: {t: {does: {mcp: {server: a, tool: x}}}}", ["UNKNOWN-SERVER tools.t.does.mcp.server"]),
        ("servers: {a: {run: x}}\ntools: {t: {does: {mcp: {server: a}}}}", ["NOT-UNDERSTOOD tools.t.does.mcp"]),
        ("servers: {a: {run: x}}\ntools: {t: {does: {mcp: {server: a, tool: x, prompt: y}}}}", ["NOT-UNDERSTOOD tools.t.does.mcp"]),
        ("servers: {a: {run: x}}\ntools: {t: {does: {mcp: {server: a, resource: y}}}}", ["URL tools.t.does.mcp.resource"]),
        ("servers: {a: {run: x}}\ntools: {t: {does: {mcp: {server: a, tool: x, pin: sha1}}}}", ["NOT-UNDERSTOOD tools.t.does.mcp.pin"]),
        ("servers: {a: {run: x}}\ntools: {t: {does: {mcp: {server: a, prompt: x, errors: in doubt}}}}",
         ["NOT-UNDERSTOOD tools.t.does.mcp.errors"]),
        ("servers: {a: {run: x}}\ntools: {t: {effect: send, does: {mcp: {server: a, prompt: x}}}}", ["NOT-UNDERSTOOD tools.t.effect"]),
        ("servers: {a: {run: x}}\ntools: {t: {tier: read-only, effect: read, does: {mcp: {server: a, tool: deploy}}}}",
         ["TIER-TOO-LOW tools.t.tier"]),
    ],
)  # fmt: skip
def test_every_mistake_about_a_server_has_its_place(text: str, found: list[str]) -> None:
    assert told(text) == found


def test_a_secret_written_out_is_warned_about() -> None:
    assert told("servers: {a: {run: x, env: {A_TOKEN: abc, LEVEL: warn, B_TOKEN: $B}}}") == [
        "SECRET-IN-FILE servers.a.env.A_TOKEN"
    ]


TWO = """\
servers: {{a: {{run: x, env: [TOKEN]{tier}}}}}
tools:
  look: {{tier: read-only, effect: read, does: {{mcp: {{server: a, tool: find}}}}}}
  save: {{tier: bounded, does: {{mcp: {{server: a, tool: save}}}}}}
"""


@pytest.mark.parametrize(
    ("tier", "found"),
    [
        ("", ["CREDENTIALS-ABOVE-TIER tools.save"]),
        (", tier: read-only", []),
        (", tier: bounded", ["CREDENTIALS-ABOVE-TIER tools.look"]),
        (", tier: high-risk", ["CREDENTIALS-ABOVE-TIER tools.look", "CREDENTIALS-ABOVE-TIER tools.save"]),
    ],
)
def test_no_tool_works_with_credentials_of_a_tier_above_its_own(tier: str, found: list[str]) -> None:
    assert told(TWO.format(tier=tier)) == found


def test_a_server_without_credentials_serves_every_tier() -> None:
    assert told(TWO.format(tier="").replace(", env: [TOKEN]", "")) == []


def test_a_contract_binds_nothing() -> None:
    findings = parse("goal: x\ntools: {t: {does: {mcp: {server: a, tool: x}}}}\nservers: {a: {run: x}}", file="c").findings
    assert {"BINDING-IN-CONTRACT", "UNKNOWN-KEY"} <= {finding.code for finding in findings}


NAMES = st.sampled_from(["a", "tracker", "far.away-2"])
TEXTS = st.sampled_from(["$TOKEN", "plain", "Bearer $TOKEN", "a: b # c", "'"])


@st.composite
def organisations(draw: st.DrawFn) -> Organisation:
    """Servers of one tier each, and tools of at least that tier."""
    servers = [
        McpServer(
            name=name, tier=draw(st.sampled_from(["", "read-only", "bounded"])),
            **draw(st.one_of(
                st.fixed_dictionaries({"run": st.just(("tracker-mcp", "--stdio")), "env": st.just(()) | TEXTS.map(lambda text: (("NAME", text),))}),
                st.fixed_dictionaries({"url": st.just("https://mcp.example.com/mcp"), "headers": st.just(()) | TEXTS.map(lambda text: (("X-Name", text),))}),
            )),
        )
        for name in draw(st.lists(NAMES, unique=True, min_size=1))
    ]  # fmt: skip
    tools = []
    for at in range(draw(st.integers(0, 3))):
        server, pin = draw(st.sampled_from(servers)), draw(st.sampled_from(["", PIN]))
        what = draw(st.sampled_from(["tool", "resource", "prompt"]))
        name = "deploy://status/{service}" if what == "resource" else draw(st.sampled_from(["save", "deploy", "a/b"]))
        errors = draw(st.sampled_from(["in doubt", "nothing happened"])) if what == "tool" else "nothing happened"
        does = McpTool(server=server, what=what, name=name, pin=pin, errors=errors)  # type: ignore[arg-type]
        tools.append(Tool(name=f"t{at}", tier=TIERS[2], effect="execute" if what == "tool" else "read", does=does))
    return Organisation(servers=tuple(servers), tools=tuple(tools))


@given(organisations())
def test_servers_and_what_uses_them_printed_read_back_as_themselves(organisation: Organisation) -> None:
    text = print_organisation(organisation)
    parsed = parse_organisation(text, file="o")
    assert parsed.organisation == organisation, f"{text}\n{parsed.findings}"
    assert print_organisation(parsed.organisation) == text
