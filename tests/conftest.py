"""No test sees the key, the server or the model of whoever runs it."""

from __future__ import annotations

import os

for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "RAG_MODEL", "RAG_EMBEDDINGS", "RAG_OFFLINE", "RAG_HOME"):
    os.environ.pop(name, None)
