-- Version 13: messages are found by the id that their client was given.

CREATE INDEX message_public_id ON message (public_id) WHERE public_id <> '';
