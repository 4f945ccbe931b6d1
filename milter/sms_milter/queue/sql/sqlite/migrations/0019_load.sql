-- Version 19: what limits each SMSC, as the dispatcher last reported it.

CREATE TABLE smsc_load (
    smsc             TEXT    PRIMARY KEY,
    limited_by       TEXT    NOT NULL,
    advice           TEXT    NOT NULL,
    sent_per_second  REAL    NOT NULL,
    rate             REAL    NOT NULL,  -- kept to now; 0 is unlimited
    contract_rate    REAL    NOT NULL,
    "window"         INTEGER NOT NULL,
    window_used      INTEGER NOT NULL,
    response_p95_ms  REAL,
    throttled_at     REAL,
    reported_at      REAL    NOT NULL
) WITHOUT ROWID;
