"""The POPs that requests are checked against: the catalogue with what runs have learned."""

import datetime as dt

from prewarm.catalogue import Catalogue, catalogue
from prewarm.knowledge import Knowledge, with_learned
from prewarm.observability import logger
from prewarm.storage.knowledge_store import KnowledgeStore


def known_pops(store: KnowledgeStore) -> tuple[Catalogue, Knowledge]:
    """Return the catalogue with the learned POPs, and these.

    Without the stored document it is the catalogue that ships; the run itself then warns.
    """
    knowledge, warning = store.get_knowledge(dt.datetime.now(dt.UTC).date())
    if warning:
        logger.warning(warning)
    return with_learned(catalogue(), knowledge), knowledge
