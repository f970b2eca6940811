/*
 * The level of encdnsd's log over D-Bus, by the interface that systemd's tools know
 * (org.freedesktop.LogControl1(5)): systemctl service-log-level, encdnsctl log-level. Only root may
 * set it.
 */
#pragma once

#include <systemd/sd-bus.h>

#define LOG_CONTROL_PATH "/org/freedesktop/LogControl1"
#define LOG_CONTROL_INTERFACE "org.freedesktop.LogControl1"

/* 0 or -errno. The object is there as long as the slot. */
int log_control_add(sd_bus *bus, sd_bus_slot **ret_slot);
