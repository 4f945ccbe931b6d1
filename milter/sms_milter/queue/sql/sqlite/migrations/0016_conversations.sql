-- Version 16: which message a phone answers.

-- The messages to a phone that it can answer; names cannot be answered, and cost nothing here.
CREATE INDEX message_conversation ON message (destination) WHERE originator = '' OR originator GLOB '[0-9+]*';
