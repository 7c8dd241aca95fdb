"""A home filled through the ledger, a real server over it in a process of its own, and a browser's worth of HTTP."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio

from remit.adapters.clock import SystemClock
from remit.adapters.ledgers.sqlite import open_ledger
from remit.adapters.signers.local import LocalSigner, create, load
from remit.authority.action import Action
from remit.authority.decision import Code, Reason
from remit.cli.init import organisation_text
from remit.contract.condition import AnyValue
from remit.contract.contract import Contract
from remit.contract.limits import Limits, Spend
from remit.contract.outcome import FileCheck
from remit.contract.parse import parse_organisation
from remit.contract.party import Organisation
from remit.contract.rule import Rule, Where
from remit.run import event as e
from remit.run.change import Change, ChangeSet, Seen
from remit.run.evolve import replay
from remit.run.state import Run

OWNER = "release-lead@example.com"
LEAD = "support-lead@example.com"
FORM = re.compile(r'name="form" value="([0-9a-f]+)"')
SEEN = re.compile(r'name="seen" value="([^"]+)"')


def identity(home: Path, person: str = OWNER) -> LocalSigner:
    """The local identity of a home, made when there is none."""
    signer = load(home) or create(home, person)
    if not (home / "org.remit.yaml").exists():
        (home / "org.remit.yaml").write_text(organisation_text(signer.person, signer.public))
    return signer
