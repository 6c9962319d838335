"""Flask console: routes, log-in, templates, push."""
