"""Who may send, as whom, to whom: decisions over the configuration, without clock, socket or store."""
