"""The systems that `search.py` measures, each in processes of its own that answer lines of JSON.

`ours.py` runs with the project's environment; `hugging_face.py` and `ctranslate2_peer.py` with that
of the peers, and with nothing of the project but the files that `export.py` wrote.
"""
