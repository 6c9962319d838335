"""The `hotline` command and the wiring of its processes."""
