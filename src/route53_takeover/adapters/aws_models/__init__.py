"""What AWS's APIs have and the SDK in use may not know yet, as extras to its service models.

Each ``service-2.sdk-extras.json`` is merged into the SDK's own model by its loader. It holds parts
of the models that botocore 1.44.8 ships (Apache License 2.0), without their documentation, and goes
once the oldest SDK that this package accepts has them. No code belongs here but `add_to`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.loaders import Loader

PATH = Path(__file__).parent


def add_to(loader: Loader) -> Loader:
    """Lets a loader merge these extras into every model that it loads from now on."""
    if str(PATH) not in loader.search_paths:
        loader.search_paths.append(str(PATH))
    return loader
