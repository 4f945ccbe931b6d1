"""The status page of `sms-milter web`: what the queue says, for a person to look at.

The doors to Starlette and Jinja2 (`site`) and uvicorn (`serving`). What is shown is worked out by `figures`,
`smscs`, `headline`, `history` and `plots`, which are pure; who may look is decided by `door`. The text of a
message is never shown.
"""
