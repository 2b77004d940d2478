"""
Templates: ours, or a site's own of the same name; nothing in one can reach out of it.

Of the template ``kickstart.cfg`` a machine with the profile ``rhel9`` gets the first that is
there: ``rhel9/kickstart.cfg`` and ``kickstart.cfg`` in the site's folder, then ours. A site's own
may build on ours: ``{% extends "ours/kickstart.cfg" %}``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import current_app
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from provisioner.plain import plain
from provisioner.refusals import Denied
from salt_ext.settings import SettingsError


def environment(folder: str) -> ImmutableSandboxedEnvironment:
    """Return what renders templates. Raises :class:`SettingsError` for a folder that is none."""
    if folder and not os.path.isdir(folder):
        raise SettingsError(f"provision_templates: there is no folder {folder}")
    ours = PackageLoader("provisioner")
    loaders = [FileSystemLoader(folder)] if folder else []
    made = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([*loaders, ours, PrefixLoader({"ours": ours})]),
        undefined=StrictUndefined,
        # No file of these is HTML; each template says how a text is written: plain, tojson.
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["plain"] = plain
    return made


def render(name: str, values: Mapping[str, Any], profile: str = "") -> str:
    """Return a file. Raises Denied where a template is wrong, with its line in the log."""
    templates: ImmutableSandboxedEnvironment = current_app.extensions["templates"]
    names = [f"{profile}/{name}", name] if profile else [name]
    try:
        return templates.select_template(names).render(values)
    except Denied:
        raise
    except Exception as error:  # whatever a site has written, as 1 + "2"
        where = f" in line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
        current_app.logger.error("the template %s fails%s", name, where, exc_info=error)
        raise Denied(
            503,
            f"the template {name} cannot be rendered: {_plain_sentence(error)}",
            "correct the template, or give the plan or the profile what it asks for",
        ) from None


def _plain_sentence(error: Exception) -> str:
    """Return what is wrong with a template, word by word as it may be said on a console."""
    said = error.message if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
    return " ".join(map(plain, (said or "no reason").split()))[:200]
