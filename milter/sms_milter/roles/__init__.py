"""The roles, each put together in a child process of its own: concrete classes meet here."""
