"""`remit agent`: what the light agent would be under a contract, every part as given or as the stated default (TIER-04)."""

import sys
from pathlib import Path
from typing import Any

import click

from remit.adapters.runtimes.agent.model import USUAL_OUTPUT
from remit.adapters.runtimes.agent.tool import Tool
from remit.adapters.runtimes.agent.tools import chosen
from remit.cli.load import load_contract, load_organisation, read_bytes
from remit.cli.say import clean, document, talk
from remit.contract.contract import Contract
from remit.contract.glob import compile_glob
from remit.contract.limits import MICRO
from remit.contract.models import runtime_of
from remit.contract.parse import Parsed
from remit.contract.party import TIERS, Organisation
from remit.contract.party import Tool as Declared
from remit.contract.tiers import HIGH_RISK
from remit.value import digest
