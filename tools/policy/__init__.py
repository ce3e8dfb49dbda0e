"""Who may do what: rules over tools and effects, and what a shell command would do."""
