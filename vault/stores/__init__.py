"""Where sealed files lie: a folder, or a store that speaks S3. Neither ever sees a plain byte."""

from vault.stores.base import Entry, Source, Store
from vault.stores.choice import the_store

__all__ = ["Entry", "Source", "Store", "the_store"]
