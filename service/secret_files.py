"""Secrets in files, as Docker and Kubernetes hand them over: OTOSCOPE_X_FILE names what X holds."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from service.errors import StartError

SUFFIX = "_FILE"


def read_secret_files(prefix: str, fields: Iterable[str]) -> dict[str, Any]:
    """What the files hold, without white space around it, by field.

    Args:
        prefix: of the variables.
        fields: of the settings; those without a file are left out.

    Raises:
        StartError: if a file can't be read or is empty, or the variable for the value is set too.
    """
    secrets = {}
    for field in fields:
        variable = f"{prefix}{field.upper()}"
        path = os.environ.get(f"{variable}{SUFFIX}")
        if not path:
            continue
        if os.environ.get(variable):
            raise StartError(f"{variable}{SUFFIX}: expected it alone, got {variable} as well")
        try:
            text = Path(path).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(
                f"{variable}{SUFFIX}: expected a file of text, got {path}: {error}"
            ) from error
        if not text:  # an operator who names a file wants a secret, and would have none
            raise StartError(f"{variable}{SUFFIX}: expected a secret, got the empty {path}")
        secrets[field] = text
    return secrets
