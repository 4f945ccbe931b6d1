-- Version 4: mails without parts, refused by a mail of ours. Each takes an id of its own all the same.

-- What may be forgotten of them.
CREATE INDEX mail_partless ON mail (received_at) WHERE parts = 0;
