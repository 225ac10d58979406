"""Secrets in files, as Docker and Kubernetes hand them over: OTOSCOPE_X_FILE names what X holds."""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from service.errors import StartError

SUFFIX = "_FILE"


class SecretFiles(PydanticBaseSettingsSource):
    """Values of some fields, each read from the file that a variable names."""

    def __init__(self, settings: type[BaseSettings], fields: tuple[str, ...]) -> None:
        """Read nothing yet.

        Args:
            settings: whose fields they are; its prefix is that of the variables.
            fields: that may stand in a file.
        """
        super().__init__(settings)
        self._prefix = str(settings.model_config.get("env_prefix"))
        self._fields = fields

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002 - the base class's
        field_name: str,
    ) -> tuple[Any, str, bool]:
        """The file's text without white space around it, or None; see the base class.

        Raises:
            StartError: if it can't be read, or the variable for the value itself is set too.
        """
        value_name = f"{self._prefix}{field_name.upper()}"
        path = os.environ.get(f"{value_name}{SUFFIX}")
        if not path:
            return None, field_name, False
        if os.environ.get(value_name):
            raise StartError(f"{value_name}{SUFFIX}: expected it alone, got {value_name} as well")
        try:
            text = Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(
                f"{value_name}{SUFFIX}: expected a file of text, got {path}: {error}"
            ) from error
        if not text:  # who names a file wants a secret, and would be left without
            raise StartError(f"{value_name}{SUFFIX}: expected a secret, got the empty {path}")
        return text, field_name, False

    def __call__(self) -> dict[str, Any]:
        """What the files hold, by field."""
        found = {}
        for name in self._fields:
            value, _, _ = self.get_field_value(self.settings_cls.model_fields[name], name)
            if value is not None:
                found[name] = value
        return found
