-- Version 2: what is forgotten makes room for what comes, all day long.
--
-- Mails are deleted as fast as they come. The server's own settings would let a fifth of these tables be dead rows before
-- vacuum comes by, and then it would have millions of them at once.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['mail', 'message', 'receipt', 'report', 'fingerprint', 'former_id', 'original', 'listener',
        'comment', 'left_out', 'charge', 'booking', 'reference', 'usage', 'request', 'run', 'storm', 'record', 'mobile',
        'mobile_part']
    LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,'
            ' autovacuum_vacuum_cost_delay = 1)', wanted);
    END LOOP;
END
$$;
