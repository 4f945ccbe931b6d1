"""The configuration: declared in `schema` and `values`, read by `load`, explained by `describe`.

On its way from files: `files` reads each, `composing` knows its YAML, `including` puts all of them together
as a `tree` with the place of everything, `inserting` fills in secrets and numbers from files of their own.
`check` makes values of it or faults; `fitting` looks at what must fit together, `sentences` words what is
wrong, `notes` what has no effect. `difference` compares two, `secrets` verifies passwords.
"""
