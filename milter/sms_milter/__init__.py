"""sms-milter: mail becomes SMS inside the SMTP dialogue."""

__version__ = "0.1.0"
