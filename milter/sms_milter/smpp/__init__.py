"""SMPP 3.4 from the ESME's side: the codec, the session without I/O, and the link that carries it."""
