"""The same checks on every supported Python."""

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

PYPROJECT = nox.project.load_toml("pyproject.toml")


@nox.session(python=["3.10", "3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run every test, or what follows ``--``."""
    session.install("-e", ".[salt,web]", *nox.project.dependency_groups(PYPROJECT, "test"))
    session.run("pytest", *session.posargs)
