/*
 * A milter that does nothing: callbacks for connect, MAIL, RCPT, DATA, header, body and end of message that look at
 * nothing, and DISCARD in the end.
 *
 *     do_nothing SOCKET               as one writes it: libmilter negotiates by itself
 *     do_nothing SOCKET same-steps    the floor: asks the MTA for the same protocol steps and macros as sms-milter
 *                                     (no replies to connect, MAIL, headers and body)
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>

#define OFF (SMFIP_NOHELO | SMFIP_NOUNKNOWN)
#define NO_REPLY (SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY)

static unsigned long no_reply;

static sfsistat quiet(unsigned long step)
{
    return no_reply & step ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps, unsigned long unused2,
                             unsigned long unused3, unsigned long *want_actions, unsigned long *want_steps,
                             unsigned long *want2, unsigned long *want3)
{
    (void) unused2, (void) unused3;
    smfi_setsymlist(ctx, SMFIM_ENVFROM, "i {auth_authen} {tls_version}");
    smfi_setsymlist(ctx, SMFIM_ENVRCPT, "i");
    smfi_setsymlist(ctx, SMFIM_EOM, "i");
    no_reply = steps & NO_REPLY;
    *want_actions = actions & SMFIF_DELRCPT;
    *want_steps = steps & (OFF | NO_REPLY);
    *want2 = *want3 = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
    (void) ctx, (void) name, (void) address;
    return quiet(SMFIP_NR_CONN);
}

static sfsistat on_mail(SMFICTX *ctx, char **arguments)
{
    (void) ctx, (void) arguments;
    return quiet(SMFIP_NR_MAIL);
}

static sfsistat on_recipient(SMFICTX *ctx, char **arguments)
{
    (void) ctx, (void) arguments;
    return SMFIS_CONTINUE;
}

static sfsistat on_data(SMFICTX *ctx)
{
    (void) ctx;
    return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    (void) ctx, (void) name, (void) value;
    return quiet(SMFIP_NR_HDR);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *octets, size_t count)
{
    (void) ctx, (void) octets, (void) count;
    return quiet(SMFIP_NR_BODY);
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
    (void) ctx;
    return SMFIS_DISCARD;
}

static struct smfiDesc milter = {
    .xxfi_name = "do-nothing",
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = SMFIF_DELRCPT,
    .xxfi_connect = on_connect,
    .xxfi_envfrom = on_mail,
    .xxfi_envrcpt = on_recipient,
    .xxfi_data = on_data,
    .xxfi_header = on_header,
    .xxfi_body = on_body,
    .xxfi_eom = on_end_of_message,
};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[2], "same-steps") == 0)
        milter.xxfi_negotiate = on_negotiate;
    else if (argc != 2)
        argc = 0;
    if (argc == 0 || smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(milter) != MI_SUCCESS) {
        fprintf(stderr, "usage: do_nothing SOCKET [same-steps]\n");
        return 64;
    }
    return smfi_main() == MI_SUCCESS ? 0 : 70;
}
