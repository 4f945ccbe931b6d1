-- Version 3: room for the next versions of a part on its own page.
--
-- A part is written anew two or three times, within minutes. On a page without room for that the server must find another
-- one each time, and writes a lock of the old row to its log beside the new row.

ALTER TABLE part SET (fillfactor = 70);
