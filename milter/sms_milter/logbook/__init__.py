"""Reads logs back, files with what rotated out of them or the journal, and tells a mail's story from them."""
