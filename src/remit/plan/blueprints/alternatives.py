"""Files that do one job in different languages: where a manifest asks for several of them, one is meant."""

ALTERNATIVES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "migrations of the database",
        (
            "alembic.ini", "drizzle.config.ts", "drizzle.config.js", "prisma/schema.prisma", "diesel.toml", "knexfile.js",
            "knexfile.ts", "flyway.conf", "ormconfig.json",
        ),
    ),
    (
        "the list of packages",
        ("pyproject.toml", "requirements.txt", "package.json", "go.mod", "Cargo.toml", "pom.xml", "build.gradle", "Gemfile"),
    ),
    ("the set-up of the tests", ("pytest.ini", "conftest.py", "vitest.config.ts", "jest.config.js", "jest.config.ts")),
    ("the set-up of the linter", ("ruff.toml", ".flake8", "eslint.config.js", ".eslintrc.json", ".eslintrc.js", ".golangci.yml")),
    (
        "the pinned packages",
        ("poetry.lock", "uv.lock", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "go.sum", "Cargo.lock"),
    ),
)  # fmt: skip
"""job -> files; each file belongs to one language or tool, and a project has one of them"""

_LANGUAGE = {
    "alembic.ini": "python", "pyproject.toml": "python", "requirements.txt": "python", "pytest.ini": "python",
    "conftest.py": "python", "ruff.toml": "python", ".flake8": "python", "poetry.lock": "python", "uv.lock": "python",
    "go.mod": "go", "go.sum": "go", ".golangci.yml": "go", "Cargo.toml": "rust", "Cargo.lock": "rust", "diesel.toml": "rust",
    "pom.xml": "java", "build.gradle": "java", "flyway.conf": "java", "Gemfile": "ruby",
}  # fmt: skip
"""the language of those files that are not of JavaScript or TypeScript"""


def grouped(files: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The files all of which are wanted, and groups of which one is: files of one job in two languages or more.

    Two files of one language (`package.json`, `pyproject.toml` with `requirements.txt`) are not alternatives by themselves.
    """
    either: list[tuple[str, ...]] = []
    taken: set[str] = set()
    for _, names in ALTERNATIVES:
        found = tuple(file for file in files if file not in taken and any(_is(file, name) for name in names))
        if len({language(file) for file in found}) > 1:
            either.append(found)
            taken.update(found)
    return tuple(file for file in files if file not in taken), (*either,)


def language(file: str) -> str:
    """The language a file of the table belongs to."""
    return _LANGUAGE.get(file.rpartition("/")[2], "javascript")


def _is(file: str, name: str) -> bool:
    return file == name or file.endswith(f"/{name}")
