"""The laws share a module: `reference`, which lies beside them and is in no package."""

import importlib.util
import sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("reference", Path(__file__).with_name("reference.py"))
assert spec is not None and spec.loader is not None
module = importlib.util.module_from_spec(spec)
sys.modules["reference"] = module
spec.loader.exec_module(module)
