-- Version 4: what storms count is told of its end.

-- A message that is counted in another, which is held, instead of being sent.
CREATE TABLE counted (
    id                  bigint  PRIMARY KEY, -- one of those of its mail, behind those of what is sent
    mail_id             bigint  NOT NULL,
    into_id             bigint  NOT NULL,    -- the message that stands for it
    notify              integer NOT NULL,    -- these as in message
    notice              integer NOT NULL,
    recipient           text    NOT NULL,
    original_recipient  text    NOT NULL,
    reference           text COLLATE "C",
    referrer            text COLLATE "C",
    public_id           text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 1);

CREATE INDEX counted_into ON counted (into_id);
CREATE INDEX counted_mail ON counted (mail_id);
CREATE INDEX counted_reference ON counted (referrer, reference) WHERE reference IS NOT NULL;
