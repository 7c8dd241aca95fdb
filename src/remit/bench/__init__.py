"""Remit beside the plainest alternative, measured in one interleaved run on the machine at hand."""

BENCHES: dict[str, str] = {
    "agent": "a turn of the light agent, beside the bare library with the same tools",
    "chain": "steps of a chain: two hundred side by side, and what one costs beside the plain box",
    "decide": "one decision, beside an indexed matcher in plain Python and Cedar",
    "gateway": "a call through the MCP gateway, beside the same call direct and two records",
    "handoff": "from asking for a heavier runtime to its first model call, beside the runtime started bare",
    "inbox": "a thousand waiting runs: the list, the page, the server, and from answer to effect",
    "ledger": "one record, beside a bare commit; verification, beside bare hashing",
    "meter": "a call of a model through the meter, beside a proxy that only passes bytes on",
    "sandbox": "a box, beside bare bwrap with the same namespaces",
    "stage": "stage, diff, publish and undo, beside `cp -a`",
    "startup": "how long the program takes to be there, and how much memory",
}

SCORED: dict[str, str] = {
    "routing": "which goals find their blueprint and their skills: --library DIR [--scenarios FILE]",
}
"""what is scored against a library of skills, and never timed"""

MODELLED: dict[str, str] = {
    "activation": "a model of a rotting agent, one conversation beside fresh contexts: [--seed N] [--n N] [--sizes 2,6,64]",
}
"""what is run with a model of an agent, by the real engine"""
