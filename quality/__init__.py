"""Whether the laboratory still works as it should: drift, controls, times, agreement."""
