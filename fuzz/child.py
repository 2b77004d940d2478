"""
The process that fuzzes one target: ``python -m fuzz.child TARGET [libFuzzer's options]``.

Our code is instrumented as it is imported, so nothing of it may have been before.
"""

import sys

import atheris


def main() -> None:
    """Fuzz until libFuzzer has had enough, or ends the process itself on a finding."""
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["salt_ext.facts"]):
        from fuzz.targets import check
    atheris.Setup([sys.argv[0], *options], lambda data: check(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
