"""Libraries of others for ``bench.search``, each run by the Python it is installed for.

Nothing of aimem is imported here: this file runs where aimem is not installed.

    search_peer.py chroma fill FOLDER MODEL PASSAGES   take in passages with their vectors
    search_peer.py chroma serve FOLDER MODEL           answer searches, a line each
    search_peer.py chroma once FOLDER MODEL TEXT       answer one and end
    search_peer.py chroma recall FOLDER MODEL PASSAGES QUESTIONS
    search_peer.py chroma index FOLDER MODEL TEXTS     embed and store texts, tell the seconds
    search_peer.py qdrant index FOLDER MODEL TEXTS
    search_peer.py bm25s rank FILE DEPTH               rank texts for questions

MODEL is a folder with the model that aimem brings, as these libraries want it (see
``bench.search_peers``): both embed with the same weights, each in its own way. PASSAGES is a folder
with ``vectors.npy`` and ``passages.jsonl``.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import islice
from pathlib import Path

_BATCH = 2_000
_NAME = "sentence-transformers/all-MiniLM-L6-v2"
_COLLECTION = "passages"


def chroma(action: str, folder: str, model: str, *rest: str) -> None:
    """Chroma, stored in a folder."""
    import chromadb
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

    ONNXMiniLM_L6_V2.DOWNLOAD_PATH = Path(model)
    settings = chromadb.Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(folder, settings=settings)
    collection = client.get_or_create_collection(
        _COLLECTION, metadata={"hnsw:space": "cosine"}, embedding_function=ONNXMiniLM_L6_V2()
    )

    def found(asked: dict) -> tuple[float, int]:
        started = time.perf_counter()
        answer = collection.query(
            query_texts=[asked["text"]], n_results=asked["limit"], where=_where(asked)
        )
        return (time.perf_counter() - started) * 1000, len(answer["ids"][0])

    if action == "fill":
        _fill(collection, Path(rest[0]))
    elif action == "serve":
        for line in sys.stdin:
            print(json.dumps(found(json.loads(line))), flush=True)
    elif action == "once":
        print(json.dumps(found({"text": rest[0], "limit": 20})))
    elif action == "recall":
        print(json.dumps(_recall(collection, Path(rest[0]), json.loads(rest[1]))))
    else:
        texts = json.loads(Path(rest[0]).read_text(encoding="utf-8"))
        collection.add(ids=["warm"], documents=["warm"])
        started = time.perf_counter()
        collection.add(ids=[str(number) for number in range(len(texts))], documents=texts)
        print(json.dumps(time.perf_counter() - started))


def qdrant(_action: str, folder: str, model: str, texts_file: str) -> None:
    """qdrant-client in its local mode, with fastembed."""
    from qdrant_client import QdrantClient, models

    options = {"cache_dir": str(Path(model) / "hub"), "local_files_only": True}
    client = QdrantClient(path=folder)
    vectors = models.VectorParams(size=384, distance=models.Distance.COSINE)
    client.create_collection(_COLLECTION, vectors_config=vectors)

    def store(texts: list, first: int) -> None:
        client.upload_collection(
            _COLLECTION,
            vectors=[models.Document(text=text, model=_NAME, options=options) for text in texts],
            payload=[{"text": text} for text in texts],
            ids=list(range(first, first + len(texts))),
        )

    texts = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    store(["warm"], len(texts))
    started = time.perf_counter()
    store(texts, 0)
    print(json.dumps(time.perf_counter() - started))


def bm25s(_action: str, file: str, depth: str) -> None:
    """bm25s with its defaults, English stop-words and Snowball's stems."""
    import bm25s as library
    import Stemmer

    given = json.loads(Path(file).read_text(encoding="utf-8"))
    how = {"stopwords": "en", "stemmer": Stemmer.Stemmer("english"), "show_progress": False}
    index = library.BM25()
    index.index(library.tokenize(given["texts"], **how), show_progress=False)
    asked = library.tokenize(given["questions"], **how)
    most = min(int(depth), len(given["texts"]))
    ranked, _ = index.retrieve(asked, k=most, show_progress=False)
    print(json.dumps(ranked.tolist()))


def _fill(collection: object, passages: Path) -> None:
    import numpy as np

    vectors = np.load(passages / "vectors.npy", mmap_mode="r")
    with (passages / "passages.jsonl").open(encoding="utf-8") as lines:
        for first in range(0, len(vectors), _BATCH):
            rows = [json.loads(line) for line in islice(lines, _BATCH)]
            collection.add(
                ids=[str(first + number) for number in range(len(rows))],
                embeddings=np.asarray(vectors[first : first + len(rows)]),
                documents=[row.pop("text") for row in rows],
                metadatas=[
                    {"kind": row["kind"], "at": row["at"]}
                    | {f"tag_{tag}": True for tag in row["tags"]}
                    for row in rows
                ],
            )


def _where(asked: dict) -> dict | None:
    if asked.get("kind"):
        return {"kind": asked["kind"]}
    if asked.get("tag"):
        return {f"tag_{asked['tag']}": True}
    if asked.get("since"):
        return {"at": {"$gte": asked["since"]}}
    return None


def _recall(collection: object, passages: Path, questions: list) -> float:
    """How many of the 20 nearest it finds, of all."""
    import numpy as np
    from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

    vectors = np.load(passages / "vectors.npy")
    asked = np.array(ONNXMiniLM_L6_V2()(questions))
    most = min(20, len(vectors))
    found = collection.query(query_embeddings=asked, n_results=most)["ids"]
    hits = 0
    for query, ids in zip(asked, found, strict=True):
        nearest = np.argpartition(-(vectors @ query), most - 1)[:most]
        hits += len({int(each) for each in ids} & set(nearest.tolist()))
    return hits / (most * len(questions))


if __name__ == "__main__":
    {"chroma": chroma, "qdrant": qdrant, "bm25s": bm25s}[sys.argv[1]](*sys.argv[2:])
