"""Tensors in files: safetensors, which hold numbers and nothing that can be executed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from pipeline.files import writing
from pipeline.problems import Problem


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write arrays as safetensors: the same arrays are the same bytes."""
    with writing(path) as temporary:
        try:
            save_file(
                {name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)}, temporary
            )
        except SafetensorError as error:  # what it makes of a full disk
            raise OSError(str(error)) from error


def read_tensors(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays of a safetensors file; a Problem where it is missing, cut or altered."""
    try:
        return load_file(path)
    except FileNotFoundError:
        raise Problem("file not found", where=str(path)) from None
    except (SafetensorError, ValueError, KeyError) as error:
        raise Problem(f"no valid safetensors file: {error}", where=str(path)) from None
