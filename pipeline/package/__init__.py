"""Package: a self-contained model folder that MLflow loads, the same bytes twice.

`write.py` makes it, `load.py` opens it; `predictor.py` and what it imports travel with the model.
"""
