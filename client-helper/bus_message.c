#include "bus_message.h"

#include <string.h>

int bus_message_read_properties(sd_bus_message *message, property_reader_t reader, void *userdata)
{
	const char *name, *type;
	char kind;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		r = sd_bus_message_read(message, "s", &name);
		if (r >= 0)
			r = sd_bus_message_peek_type(message, &kind, &type);
		if (r >= 0)
			r = sd_bus_message_enter_container(message, 'v', type);
		if (r >= 0)
			r = reader(message, name, type, userdata);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

int bus_message_append_domains(
	sd_bus_message *message, int ifindex, const struct link_domains *domains)
{
	int r;

	r = sd_bus_message_append(message, "i", ifindex);
	if (r >= 0)
		r = sd_bus_message_open_container(message, 'a', "(sb)");
	for (size_t i = 0; i < domains->n && r >= 0; i++)
		r = sd_bus_message_append(
			message, "(sb)", domains->list[i].name, (int)domains->list[i].route_only);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

int bus_check_root(sd_bus_message *message, sd_bus_error *error)
{
	sd_bus_creds *creds = NULL;
	uid_t uid;
	int r;

	r = sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID, &creds);
	if (r >= 0)
		r = sd_bus_creds_get_euid(creds, &uid);
	sd_bus_creds_unref(creds);
	if (r < 0)
		return r;
	return uid == 0 ? 0
					: sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "only root may do that");
}

int bus_error_to_text(const sd_bus_error *error, const char *service, char **ret)
{
	static const struct {
		const char *name, *text;
	} texts[] = {
		{SD_BUS_ERROR_SERVICE_UNKNOWN, "is not on the system bus"},
		{SD_BUS_ERROR_NAME_HAS_NO_OWNER, "is not on the system bus"},
		{SD_BUS_ERROR_NO_REPLY, "does not answer"},
		{SD_BUS_ERROR_TIMEOUT, "does not answer"},
		{SD_BUS_ERROR_UNKNOWN_OBJECT, "does not know the link"},
		{"org.freedesktop.resolve1.NoSuchLink", "does not know the link"},
		{"org.freedesktop.resolve1.LinkBusy", "leaves the link to systemd-networkd"},
		{SD_BUS_ERROR_ACCESS_DENIED, "refuses: polkit has no rules for encdnsd"},
		{SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
			"refuses: polkit has no rules for encdnsd"},
	};

	for (size_t i = 0; i < ELEMENTS(texts); i++)
		if (sd_bus_error_has_name(error, texts[i].name))
			return format(ret, "%s %s", service, texts[i].text);
	return format(ret, "%s: %s", service, error->message ? error->message : error->name);
}
