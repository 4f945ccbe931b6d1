/*
 * A fast SMSC for the benches: accepts every bind, answers each submit_sm with an id, all PDUs of one read with one
 * write. What it saw stands in a file that others may map while it runs (struct seen below).
 *
 *     smsc PORT FILE [RATE]      127.0.0.1 only; ends at SIGTERM; RATE receipts (DELIVRD) a second
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 16, ROOM = 1 << 17, LINKS = 64, LARGEST_PDU = 1 << 16 };

enum {
    BIND_RECEIVER = 1,
    BIND_TRANSMITTER = 2,
    SUBMIT_SM = 4,
    DELIVER_SM = 5,
    UNBIND = 6,
    BIND_TRANSCEIVER = 9,
    ENQUIRE_LINK = 0x15,
    RESPONSE = 0x80000000,
};

struct seen { /* times: CLOCK_MONOTONIC, nanoseconds */
    volatile uint64_t binds, submits, first_submit, last_submit;
};

struct link {
    int fd, waits_to_write;
    size_t in_used, out_used;
    unsigned char in[ROOM], out[ROOM];
};

static struct seen *seen;
static struct link *submitter; /* the link that submitted last */
static uint64_t ids, receipts; /* given out, told */

static void fail(const char *what)
{
    perror(what);
    exit(71);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static uint32_t number(const unsigned char *octets)
{
    uint32_t value;
    memcpy(&value, octets, 4);
    return ntohl(value);
}

static void put_number(unsigned char *octets, uint32_t value)
{
    value = htonl(value);
    memcpy(octets, &value, 4);
}

static void answer(struct link *link, uint32_t command, const unsigned char *sequence, const char *text)
{
    size_t text_size = text ? strlen(text) + 1 : 0;
    unsigned char *pdu = link->out + link->out_used;
    put_number(pdu, (uint32_t) (HEADER + text_size));
    put_number(pdu + 4, command | RESPONSE);
    put_number(pdu + 8, 0);
    memcpy(pdu + 12, sequence, 4);
    if (text)
        memcpy(pdu + HEADER, text, text_size);
    link->out_used += HEADER + text_size;
}

static void take(struct link *link, const unsigned char *pdu, uint64_t at)
{
    char id[20];
    uint32_t command = number(pdu + 4);
    switch (command) {
    case SUBMIT_SM:
        snprintf(id, sizeof id, "%llu", (unsigned long long) ++ids);
        answer(link, command, pdu + 12, id);
        if (!seen->submits)
            seen->first_submit = at;
        seen->last_submit = at;
        seen->submits++;
        submitter = link;
        break;
    case BIND_RECEIVER:
    case BIND_TRANSMITTER:
    case BIND_TRANSCEIVER:
        seen->binds++;
        answer(link, command, pdu + 12, "bench");
        break;
    case UNBIND:
    case ENQUIRE_LINK:
        answer(link, command, pdu + 12, NULL);
        break;
    }
}

/* All complete PDUs that there is room to answer; 0 when the peer talks nonsense. */
static int take_all(struct link *link)
{
    uint64_t at = now();
    size_t done = 0;
    while (link->in_used - done >= HEADER && link->out_used < ROOM - 64) {
        uint32_t size = number(link->in + done);
        if (size < HEADER || size > LARGEST_PDU)
            return 0;
        if (size > link->in_used - done)
            break;
        take(link, link->in + done, at);
        done += size;
    }
    memmove(link->in, link->in + done, link->in_used - done);
    link->in_used -= done;
    return 1;
}

/* 0 when the link is over. */
static int serve(struct link *link)
{
    if (link->in_used < ROOM) {
        ssize_t got = read(link->fd, link->in + link->in_used, ROOM - link->in_used);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return 0;
        if (got > 0)
            link->in_used += (size_t) got;
    }
    if (!take_all(link))
        return 0;
    ssize_t put = link->out_used ? write(link->fd, link->out, link->out_used) : 0;
    if (put < 0 && errno != EAGAIN)
        return 0;
    if (put > 0) {
        memmove(link->out, link->out + put, link->out_used - (size_t) put);
        link->out_used -= (size_t) put;
    }
    return 1;
}

static unsigned char *put_text(unsigned char *octets, const char *text)
{
    size_t size = strlen(text) + 1;
    memcpy(octets, text, size);
    return octets + size;
}

/* A deliver_sm with the receipt of one id (SMPP 3.4 §4.6.1, appendix B). */
static void put_receipt(struct link *link, uint64_t id)
{
    static uint32_t sequence;
    static const unsigned char flags[] = {0, 0, 0, 0, 0};
    char text[160];
    int size = snprintf(text, sizeof text,
        "id:%llu sub:001 dlvrd:001 submit date:2411211200 done date:2411211200 stat:DELIVRD err:000 text:",
        (unsigned long long) id);
    unsigned char *pdu = link->out + link->out_used, *at = pdu + HEADER;
    at = put_text(at, "");
    *at++ = 1, *at++ = 1;
    at = put_text(at, "447973100000");
    *at++ = 5, *at++ = 0;
    at = put_text(at, "ACME");
    *at++ = 4; /* esm_class: a receipt */
    memcpy(at, flags, 4), at += 4; /* protocol_id, priority_flag, two empty times */
    memcpy(at, flags, 4), at += 4; /* registered_delivery to sm_default_msg_id */
    *at++ = (unsigned char) size;
    memcpy(at, text, (size_t) size), at += size;
    put_number(pdu, (uint32_t) (at - pdu));
    put_number(pdu + 4, DELIVER_SM);
    put_number(pdu + 8, 0);
    put_number(pdu + 12, ++sequence);
    link->out_used += (size_t) (at - pdu);
}

/* As many receipts as are due by now. */
static void tell(unsigned long rate)
{
    uint64_t due = submitter ? (now() - seen->first_submit) * rate / 1000000000u : 0;
    while (receipts < due && receipts < ids && submitter->out_used < ROOM - 512)
        put_receipt(submitter, ++receipts);
    if (submitter && submitter->out_used)
        serve(submitter); /* a link that is over shows again when it is read */
}

static int listen_on(const char *port)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t) atoi(port))};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *) &here, sizeof here) || listen(fd, 16))
        fail(port);
    return fd;
}

static void watch(int poll, int operation, int fd, void *what, int writing)
{
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = what};
    if (epoll_ctl(poll, operation, fd, &event))
        fail("epoll_ctl");
}

static void accept_link(int poll, int listener)
{
    int one = 1, fd = accept(listener, NULL, NULL);
    struct link *link = fd < 0 ? NULL : calloc(1, sizeof *link);
    if (!link)
        return;
    link->fd = fd;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(poll, EPOLL_CTL_ADD, fd, link, 0);
}

static void map_seen(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    if (fd < 0 || ftruncate(fd, sizeof *seen))
        fail(path);
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (seen == MAP_FAILED)
        fail(path);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: smsc PORT FILE [RATE]\n");
        return 64;
    }
    unsigned long rate = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    map_seen(argv[2]);
    int listener = listen_on(argv[1]), poll = epoll_create1(0);
    watch(poll, EPOLL_CTL_ADD, listener, NULL, 0);
    for (;;) {
        struct epoll_event ready[LINKS];
        int count = epoll_wait(poll, ready, LINKS, rate ? 10 : -1);
        for (int i = 0; i < count; i++) {
            struct link *link = ready[i].data.ptr;
            if (!link) {
                accept_link(poll, listener);
            } else if (!serve(link)) {
                if (link == submitter)
                    submitter = NULL;
                close(link->fd);
                free(link);
            } else if (link->waits_to_write != (link->out_used > 0)) {
                link->waits_to_write = link->out_used > 0;
                watch(poll, EPOLL_CTL_MOD, link->fd, link, link->waits_to_write);
            }
        }
        if (rate)
            tell(rate);
    }
}
