"""Shipped stand-ins for the ports, and the checks that real adapters pass too.

The clock, the ledger, the leases, the workspace, the sandbox and the signer of this chapter are enough to drive the engine
without a kernel; `check_ledger`, `check_workspace` and `check_sandbox` say whether an adapter of your own keeps the promises.
"""
