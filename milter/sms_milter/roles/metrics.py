"""The metrics role: what the others have counted, for Prometheus."""

from __future__ import annotations

import socket
import threading

from sms_milter.config.schema import Configuration
from sms_milter.lifeline import LIFE_SECONDS, Control, Main
from sms_milter.metering import Wire
from sms_milter.roles.common import begin, entered


def metrics_role(configuration: Configuration, listening: socket.socket, wire: Wire) -> Main:
    """What the metrics role does: answer scrapes with what comes by the wire and what stands in the queue."""

    def main(control: Control) -> None:
        # Its library enters this role only.
        from sms_milter.web.prometheus import Endpoint, Exposition, samples

        journal, home = entered(configuration, "metrics")
        queue = home.queue()
        exposition = Exposition(lambda: samples(queue, home.now()))
        endpoint = Endpoint(listening, exposition, journal)
        endpoint.start()

        def hear() -> None:
            for tally in wire.heard():
                exposition.add(tally)

        threading.Thread(target=hear, name="wire", daemon=True).start()
        begin(control, queue)
        while control.told(LIFE_SECONDS) is None:
            control.alive()
        endpoint.stop()

    return main
