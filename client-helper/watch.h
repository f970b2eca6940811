/*
 * Tells when another program may have changed some link's DNS settings. resolved does not signal
 * that on the bus, but writes its resolv.conf anew whenever it adopts a change; links that come and
 * go are the kernel's news; and a slow clock catches what neither tells.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

struct watch;

typedef void (*watch_changed_t)(void *userdata);

/* 0 or -errno. Silent until watch_enable(). */
int watch_new(sd_event *event, watch_changed_t changed, void *userdata, struct watch **ret);

/* Also takes up again what was not there to be watched before, such as resolved's folder. */
void watch_enable(struct watch *watch, bool enable);

struct watch *watch_free(struct watch *watch); /* takes NULL, returns NULL */
