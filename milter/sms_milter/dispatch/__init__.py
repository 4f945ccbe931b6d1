"""A part's way out: taken from the queue, marked, submitted, and what becomes of it recorded.

`turn` is the dispatcher's one step; `lanes` knows what each SMSC bears now, `hearing` what an event of a link
means for a part, `housekeeping` what must be done now and then, `purging` how what is over is forgotten,
`words` how the log says it. Knows no socket, no clock and no database.
"""

from sms_milter.dispatch.turn import Dispatcher

__all__ = ["Dispatcher"]
