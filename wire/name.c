/*
 * Host names and domains: see name.h.
 */
#include "name.h"

#include "ascii.h"
#include "refuse.h"

static bool is_root(struct span name)
{
	return name.len == 1 && name.data[0] == '.';
}

struct span name_without_dot(struct span name)
{
	if (name.len > 1 && name.data[name.len - 1] == '.')
		name.len--;
	return name;
}

#define WHY(kind, text) ((kind) == NAME_HOST ? "the ADN " text : "the domain " text)

static const char *character_fault(uint8_t c, enum name_kind kind)
{
	if (ascii_is_letter(c) || ascii_is_digit(c) || c == '-' || (c == '_' && kind == NAME_DOMAIN))
		return NULL;
	if (c < 0x20 || c == 0x7f)
		return WHY(kind, "holds a control character");
	if (c >= 0x80)
		return WHY(kind, "is not in A-labels");
	if (c == '_')
		return WHY(kind, "holds an underscore");
	return WHY(kind, "holds a character that names don't have");
}

static const char *label_fault(struct span label, enum name_kind kind)
{
	const char *why;
	size_t i;

	if (label.len == 0)
		return WHY(kind, "has an empty label");
	for (i = 0; i < label.len; i++) {
		why = character_fault(label.data[i], kind);
		if (why)
			return why;
	}
	if (label.len > NAME_LABEL_MAX)
		return WHY(kind, "has a label of more than 63 octets");
	if (label.data[0] == '-' || label.data[label.len - 1] == '-')
		return WHY(kind, "has a label that begins or ends with a hyphen");
	return NULL;
}

static bool is_number(struct span label)
{
	size_t i;

	for (i = 0; i < label.len; i++) {
		if (!ascii_is_digit(label.data[i]))
			return false;
	}
	return true;
}

static const char *name_fault(struct span name, enum name_kind kind)
{
	struct span label = {0};
	const char *why;
	size_t end, start = 0;

	if (name.len == 0)
		return WHY(kind, "is empty");
	if (is_root(name))
		return kind == NAME_DOMAIN ? NULL : WHY(kind, "is the root");
	name = name_without_dot(name);

	for (end = 0; end <= name.len; end++) {
		if (end < name.len && name.data[end] != '.')
			continue;
		label = span_of(name.data + start, end - start);
		why = label_fault(label, kind);
		if (why)
			return why;
		start = end + 1;
	}
	if (name.len > NAME_LENGTH_MAX)
		return WHY(kind, "is longer than 253 octets");
	if (kind == NAME_HOST && is_number(label))
		return WHY(kind, "ends in a number");
	return NULL;
}

int name_check(struct span name, enum name_kind kind, const char **ret_why)
{
	const char *why = name_fault(name, kind);

	return why ? refuse(ret_why, why) : 0;
}

int name_normalise(struct span name, enum name_kind kind, char ret[NAME_SIZE], const char **ret_why)
{
	size_t i;
	int r;

	r = name_check(name, kind, ret_why);
	if (r < 0)
		return r;
	name = name_without_dot(name);
	for (i = 0; i < name.len; i++)
		ret[i] = (char)ascii_to_lower(name.data[i]);
	ret[name.len] = '\0';
	return 0;
}

static bool equal_without_case(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (ascii_to_lower(a[i]) != ascii_to_lower(b[i]))
			return false;
	}
	return true;
}

bool name_equal(struct span a, struct span b)
{
	a = name_without_dot(a);
	b = name_without_dot(b);
	return a.len == b.len && equal_without_case(a.data, b.data, a.len);
}

bool name_is_at_or_below(struct span name, struct span domain)
{
	size_t above;

	if (is_root(domain))
		return true;
	name = name_without_dot(name);
	domain = name_without_dot(domain);
	if (name.len <= domain.len)
		return name_equal(name, domain);
	above = name.len - domain.len;
	return name.data[above - 1] == '.' &&
		   equal_without_case(name.data + above, domain.data, domain.len);
}
