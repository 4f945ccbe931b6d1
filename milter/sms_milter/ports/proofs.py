"""Who somebody is: passwords, and what the DNS and signatures say of a mail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from sms_milter.model import Client


class PasswordCheck(Protocol):
    """Knows right passwords from wrong ones; a hash is slow to verify on purpose."""

    def right(
        self,
        password_hash: str,
        password: str,
        *,
        digest: bool = False,
        client: str = "",
        welcome: Callable[[], None] = ...,
    ) -> bool:
        """Whether `password` is the one that was hashed, or with `digest` its MD5, if the hash allows that.
        With the hash "" it never is, and that takes as long.

        One that has to be verified waits for its turn, behind those of other clients where its `client` was
        wrong lately. When it has come `welcome` is called; what that raises is raised, and Deferred when it
        does not come in time.
        """


class SenderProofs(Protocol):
    """Knows by the DNS for whom a client may send, and who has signed a mail. Raises Deferred when the DNS
    does not answer in time.
    """

    def spf(self, client: Client, sender: str) -> bool:
        """Whether the domain of the envelope sender ("" is the null sender, then that of HELO) lets this
        client send for it (RFC 7208): the result is pass.
        """

    def dkim(self, fields: Sequence[tuple[str, bytes]], body: bytes, domains: Collection[str]) -> bool:
        """Whether one of these domains (lower case) has signed the mail (RFC 6376), all of its body and the
        header fields that `mail.proofs.covers` names. Fields as the MTA gives them.
        """
