"""What is wrong around us: the MTA's settings, our host, the ways to SMSCs and back to the MTA.

`postfix`, `sendmail` and `host` are rules: facts in, findings out. `gather` collects the facts.
"""
