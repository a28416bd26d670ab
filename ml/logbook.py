"""Figures of a training run as TensorBoard reads them: `tensorboard --logdir RUN`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf


def log_scalars(run_dir: Path, figures: Mapping[str, float], *, step: int) -> None:
    """Add one point to each named curve, in an events file under `run_dir`/logs."""
    metadata = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
    )
    writer = tf.summary.create_file_writer(str(run_dir / "logs"))
    with writer.as_default(step=step):
        for name, value in figures.items():
            tf.summary.write(name, tf.constant(value, tf.float32), metadata=metadata)
    writer.close()
