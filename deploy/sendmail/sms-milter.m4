dnl SMS by mail: what Sendmail needs. Copy this file and sms-unclaimed to /etc/mail, write your own domains, put
dnl     include(`/etc/mail/sms-milter.m4')dnl
dnl into sendmail.mc after the last INPUT_MAIL_FILTER (ours must be the last milter: one that runs after it could refuse
dnl a mail whose SMS is already on its way) and before the MAILER lines, then `make -C /etc/mail` and restart.
dnl
dnl S= is where sms-milter listens (its setting milter.socket, same notation). Prefer a unix socket,
dnl S=unix:/run/sms-milter/milter.sock: over TCP Sendmail waits for delayed acknowledgements, some 0.1 s a mail.
dnl F=T: while it is away the client is told to try again later; without F= mail would pass unseen.
dnl T=: connect, send, read, and the answer after the final dot.
dnl
dnl The domains stand below. Who keeps such things in mailertable and access says define(`SMS_TABLES')dnl before the
dnl include, and takes the lines of these two files beside this one.
INPUT_MAIL_FILTER(`sms-milter', `S=inet:8891@127.0.0.1, F=T, T=C:10s;S:30s;R:30s;E:2m')dnl
ifdef(`SMS_TABLES', `', `LOCAL_CONFIG
# The SMS domains. They are relayed for everybody: sms-milter knows the accounts and refuses the others.
C{SmsDomains} sms.example.com
CR sms.example.com
LOCAL_RULE_0
# The fail-safe route. Mail for the SMS domains is never delivered by Sendmail: sms-milter takes it before. What gets
# past it stays in the queue, deferred and visible. The error mailer would refuse at RCPT, before the milter is asked.
R$* < @ $={SmsDomains} . > $*	$#sms-unclaimed $@ $2 $: $1 < @ $2 . > $3
R$* < @ $={SmsDomains} > $*	$#sms-unclaimed $@ $2 $: $1 < @ $2 > $3
')dnl
MAILER_DEFINITIONS
Msms-unclaimed,	P=/etc/mail/sms-unclaimed, F=lsDFMqnu9, S=EnvFromL/HdrFromL, R=EnvToL/HdrToL,
		T=DNS/RFC822/X-Unix, U=nobody, A=sms-unclaimed $u
