-- Version 10: the dialects' own notices about messages: whom they go to, and more than one report about a message.

-- Of what the listeners of its mail may be told; bits as in notify, and 8 pending, 16 sent, 32 to be tried again.
ALTER TABLE message ADD COLUMN notice INTEGER NOT NULL DEFAULT 0;
-- The id that the client was given.
ALTER TABLE message ADD COLUMN public_id TEXT NOT NULL DEFAULT '';

-- part.receipt is 3 from now on where also the way to the SMSC is told; else as before.

-- Who is told what becomes of a mail's messages, in the words of its dialect.
CREATE TABLE listener (
    id              INTEGER PRIMARY KEY,
    mail_id         INTEGER NOT NULL,
    target          TEXT    NOT NULL,   -- a mail address, or a URL
    told            INTEGER NOT NULL,   -- bits as in message.notify
    is_url          INTEGER NOT NULL,
    gather_seconds  REAL    NOT NULL    -- what comes within this time is one mail
);

CREATE INDEX listener_mail ON listener (mail_id);

-- Parts of which a listener hears as soon as the SMSC takes them, or does not for now.
CREATE INDEX part_followed ON part (id) WHERE receipt = 3 AND state IN (0, 1);

-- What is told: 0 the end, else 8, 16 or 32 as in message.notice.
ALTER TABLE report ADD COLUMN event INTEGER NOT NULL DEFAULT 0;
-- Who is told; 0: the envelope sender, by a delivery status notification.
ALTER TABLE report ADD COLUMN listener_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE report ADD COLUMN is_url INTEGER NOT NULL DEFAULT 0;

DROP INDEX report_message;
DROP INDEX report_due;
CREATE UNIQUE INDEX report_message ON report (message_id, event, listener_id) WHERE message_id IS NOT NULL;
CREATE INDEX report_due ON report (is_url, due_at) WHERE finished_at IS NULL;
