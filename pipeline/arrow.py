"""Arrow's names in our signatures. pyarrow publishes no types, so a checker knows names only."""

from typing import Any, TypeAlias

import pyarrow.compute

Array: TypeAlias = Any
"""A `pyarrow.Array`; texts are of type string."""
RecordBatch: TypeAlias = Any
"""A `pyarrow.RecordBatch`."""
Schema: TypeAlias = Any
"""A `pyarrow.Schema`."""
compute: Any = pyarrow.compute  # its functions are made when it is imported
