"""The registry of models: candidates, evaluations, shadow runs, training sets."""
