"""A real Chromium, driven by Playwright; without it the tests that need one say so."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from web_worlds import Served

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for a module and no longer: its driver keeps an event loop in this thread, where other tests want their own."""
    if not CHROMIUM or find_spec("playwright") is None:
        pytest.skip("needs Chromium (Debian: `apt-get install chromium`) and the `test` extra")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core: evaluated in the page, so that its policy stays as it is."""
    found = find_spec("axe_playwright_python")
    assert found is not None and found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text()


Opened = Callable[..., Any]


@pytest.fixture
def opened(chromium: Any) -> Opened:
    """A context manager: a page signed in at a server; what it complained about is in `page.complaints`."""

    @contextmanager
    def open_page(server: Served, **options: Any) -> Iterator[Any]:
        context = chromium.new_context(**options)
        context.set_default_timeout(10_000)
        if server.jar:
            context.add_cookies([{"name": name, "value": value, "url": server.origin} for name, value in server.jar.items()])
        page = context.new_page()
        watch(page)
        try:
            yield page
        finally:
            context.close()

    return open_page


def watch(page: Any) -> None:
    """Collect dialogs, errors and violations of the policy."""
    page.complaints = []
    page.on("dialog", lambda dialog: (page.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: page.complaints.append(f"error {error}"))
    page.on("console", lambda message: page.complaints.append(message.text) if message.type in {"error", "warning"} else None)
