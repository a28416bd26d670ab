"""The notebook runs from its first cell to its last, on drawn cells."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "notebooks" / "train_evaluate_explain.ipynb"


def test_is_kept_without_outputs() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert all(not cell.outputs for cell in cells if cell.cell_type == "code")


@pytest.mark.real_model
def test_trains_evaluates_and_explains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEMATOVISION_DATA", raising=False)
    monkeypatch.delenv("HEMATOVISION_WEIGHTS", raising=False)
    monkeypatch.setenv("CELLS_A_CLASS", "8")
    monkeypatch.setenv("EPOCHS", "2")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    )
    client.execute()
    *_, classified, _, sheet = notebook.cells
    assert "Prediction(cell_type=" in classified.outputs[-1]["data"]["text/plain"]
    assert "image/png" in sheet.outputs[-1]["data"]
