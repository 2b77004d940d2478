"""
The setting ``provision_profiles``: what is installed, by the name that plans have as ``profile``.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_interface
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from salt_ext.settings import Settings, SettingsError
from salt_ext.words.nearest import unknown

# No user and password, and nothing that iPXE would take for the end of a word.
Url = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9._~:/?#\[\]&()*+,=%-]+$")]
Arguments = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ._:/,;=+@%()\[\]-]*$")]
Package = Annotated[str, StringConstraints(pattern=r"^[@A-Za-z0-9][A-Za-z0-9.+:_@~-]*$")]
SshKey = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [A-Za-z0-9._@:-]+)?$")
]


def _gateway(text: str) -> str:
    if "/" not in text:
        raise ValueError("must have the length of the prefix too, as in 10.0.0.1/24")
    return str(ip_interface(text))


class Profile(BaseModel):
    """An operating system, and the files that its installer begins with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    installer: Literal["kickstart", "autoinstall", "cloud-init"]
    kernel: Url
    initrd: Annotated[list[Url], Field(max_length=10)] = []
    arguments: Arguments = ""
    gateway: Annotated[str, AfterValidator(_gateway)] | None = None
    nameservers: list[Annotated[str, AfterValidator(lambda text: str(ip_address(text)))]] = []
    packages: list[Package] = []
    ssh_keys: list[SshKey] = []
    values: dict[str, Any] = {}


def configured(settings: Settings) -> dict[str, Profile]:
    """Return the profiles by name. Raises :class:`SettingsError` for one that is wrong."""
    said: Mapping[Any, Any] = settings["provision_profiles"]
    where = f"{settings.sources['provision_profiles']}: provision_profiles"
    return {str(name): _profile(f"{where}: {name}", str(name), one) for name, one in said.items()}


def _profile(where: str, name: str, said: object) -> Profile:
    if not isinstance(said, Mapping):
        raise SettingsError(f"{where} is {type(said).__name__}, but it must be a mapping")
    try:
        return Profile.model_validate({**said, "name": name})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ": ".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = [one for one in Profile.model_fields if one != "name"]
            raise SettingsError(f"{where}: {unknown('key', path, known)}") from None
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{where}: {path}: {message}") from None
