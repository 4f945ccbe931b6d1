"""From content to parts: alphabets, splitting, the fields of each submit_sm. Knows no mail and no account."""
