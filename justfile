# Recipes for those who change remit. `tools/ready test` makes the environment; `pip install -e '.[tools]'` brings `just` and `uv`.

export PATH := justfile_directory() / ".venv/bin:" + env("PATH")
export PYTHONDONTWRITEBYTECODE := "1"

# everything that must hold before a change lands
check:
    tools/test

# the tests, or some of them: just test -k release
test *words:
    pytest -n 2 {{ words }}

# only the stories: the promises, from the outside
story *words:
    pytest tests/stories {{ words }}

# where the house style shows to a machine: layers, shape, format, types
shape:
    ruff format --check .
    ruff check .
    lint-imports --no-cache
    mypy
    pytest tests/test_shape.py

# long runs: many more examples, every crash point, and a test for every changed line of the chapters
thorough:
    tools/ready test,thorough
    HYPOTHESIS_PROFILE=thorough pytest -n 2
    mutmut run

# remit against the plainest alternative
bench *words:
    remit bench {{ words }}

# the exact versions to work with, without hosts
lock:
    uv pip compile --quiet --no-header --no-annotate --upgrade \
        --all-extras --output-file constraints.txt pyproject.toml
