"""
The process that fuzzes one target: ``python -m fuzz.child TARGET [libFuzzer's options]``.

Our code is instrumented when it is imported, so none of it may be imported before that.
"""

import sys

import atheris


def main() -> None:
    """Fuzz until the time of libFuzzer's options is over; on a finding it ends the process."""
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["salt_ext.facts"]):
        from fuzz.targets import check
    atheris.Setup([sys.argv[0], *options], lambda data: check(name, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
