"""Programs of others that read what we send: each module drives one, for hundreds of messages in one go.

They come with deploy/packages and npm; a test that needs one fails where it is missing.
"""
