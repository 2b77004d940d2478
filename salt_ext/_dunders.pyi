"""Names that the Salt loader injects into the modules it loads."""

from collections.abc import Callable
from typing import Any

__context__: dict[str, Any]
__grains__: dict[str, Any]
__opts__: dict[str, Any]
__salt__: dict[str, Callable[..., Any]]
__utils__: dict[str, Callable[..., Any]]
