"""Who can do the work. A new runtime is a new file and one line here."""

from remit.adapters.runtimes import command

RUNTIMES = {command.name: command}
