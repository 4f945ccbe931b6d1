"""The configuration: declared in `schema`, read from YAML by `load`, explained by `describe`."""
