"""Jobs and callbacks: offers, retries, sweeps, and the gateways that ring people."""
