"""The folder of trained models, and the models in force: read when it changed, swapped while the service runs."""
