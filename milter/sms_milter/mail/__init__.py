"""What stands in a mail: header fields, MIME parts, character sets, addresses. Knows nothing about SMS."""
