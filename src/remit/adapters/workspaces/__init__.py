"""Where stages come from: one literal registry, no discovery."""

from remit.adapters.workspaces.staged import StagedWorkspace

WORKSPACES = {"staged": StagedWorkspace}
