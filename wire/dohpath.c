/*
 * The dohpath SvcParam: see dohpath.h.
 */
#include "dohpath.h"

#include "ascii.h"
#include "hex.h"
#include "refuse.h"

static bool is_letter_or_digit(uint8_t c)
{
	return ascii_is_letter(c) || ascii_is_digit(c);
}

/* One of a set of ASCII characters. */
static bool is_one_of(uint8_t c, const char *set)
{
	return c != '\0' && c < 0x80 && strchr(set, c);
}

static bool is_percent_encoded(struct span text)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	return text.len >= 3 && text.data[0] == '%' && is_one_of(text.data[1], digits) &&
		   is_one_of(text.data[2], digits);
}

/*
 * Octets of the UTF-8 character that the text begins with (RFC 3629), 0 where it is none, or a C1
 * control character. For text that begins with an octet above 0x7f.
 */
static size_t utf8_length(struct span text)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least; /* less would be a longer form than needed */
	} forms[] = {
		{0xe0, 0xc0, 0xa0}, /* begins behind the C1 control characters */
		{0xf0, 0xe0, 0x800},
		{0xf8, 0xf0, 0x10000},
	};
	uint32_t character;
	size_t form, i, len;

	for (form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
		if ((text.data[0] & forms[form].mask) != forms[form].lead)
			continue;
		len = form + 2;
		if (text.len < len)
			return 0;
		character = text.data[0] & (uint8_t)~forms[form].mask;
		for (i = 1; i < len; i++) {
			if ((text.data[i] & 0xc0) != 0x80)
				return 0;
			character = character << 6 | (text.data[i] & 0x3f);
		}
		if (character < forms[form].least || character > 0x10ffff ||
			(character >= 0xd800 && character <= 0xdfff))
			return 0;
		return len;
	}
	return 0;
}

/* Octets of the literal character, 0 where it may not stand in a path or query (RFC 3986). */
static size_t literal_length(struct span text)
{
	uint8_t c = text.data[0];

	if (c >= 0x80)
		return utf8_length(text);
	if (c == '%')
		return is_percent_encoded(text) ? 3 : 0;
	return is_letter_or_digit(c) || is_one_of(c, "-._~!$&'()*+,;=:@/?") ? 1 : 0;
}

static void skip(struct span *text, size_t len)
{
	*text = span_of(text->data + len, text->len - len);
}

static bool begins_with(struct span text, const char *set)
{
	return text.len > 0 && is_one_of(text.data[0], set);
}

/* A variable's name: characters, and single dots between them (RFC 6570, section 2.3). */
static bool take_name(struct span *text, struct span *ret_name)
{
	const uint8_t *start = text->data;
	bool character = false;

	while (text->len > 0) {
		if (is_percent_encoded(*text)) {
			skip(text, 3);
			character = true;
		} else if (is_letter_or_digit(text->data[0]) || text->data[0] == '_') {
			skip(text, 1);
			character = true;
		} else if (text->data[0] == '.' && character) {
			skip(text, 1);
			character = false;
		} else {
			break;
		}
	}
	*ret_name = span_of(start, (size_t)(text->data - start));
	return character;
}

/* ":" and 1 to 9999, "*", or nothing (RFC 6570, section 2.4). */
static bool take_modifier(struct span *text, bool *ret_prefix)
{
	size_t digits = 0;

	*ret_prefix = begins_with(*text, ":");
	if (begins_with(*text, "*")) {
		skip(text, 1);
	} else if (*ret_prefix) {
		skip(text, 1);
		if (begins_with(*text, "0"))
			return false;
		for (; text->len > 0 && ascii_is_digit(text->data[0]); digits++)
			skip(text, 1);
		return digits >= 1 && digits <= 4;
	}
	return true;
}

/* Takes "{...}". False: not well-formed. *ret_dns becomes true where it has the variable dns. */
static bool take_expression(struct span *text, bool *ret_dns)
{
	struct span name;
	bool prefix;

	skip(text, 1);
	if (begins_with(*text, "+./;?&"))
		skip(text, 1);
	for (;;) {
		if (!take_name(text, &name) || !take_modifier(text, &prefix))
			return false;
		if (!prefix && span_equal(name, span_from_string("dns")))
			*ret_dns = true;
		if (!begins_with(*text, ","))
			break;
		skip(text, 1);
	}
	if (!begins_with(*text, "}"))
		return false;
	skip(text, 1);
	return true;
}

int dohpath_check(struct span template, const char **ret_why)
{
	struct span left = template;
	bool dns = false;
	size_t len;

	if (template.len == 0)
		return refuse(ret_why, "the SvcParam dohpath is empty");
	if (template.len > DOHPATH_LENGTH_MAX)
		return refuse(ret_why, "the SvcParam dohpath is longer than 1024 octets");
	if (template.data[0] != '/' || (template.len > 1 && template.data[1] == '/'))
		return refuse(ret_why, "the SvcParam dohpath does not begin with one slash");
	while (left.len > 0) {
		if (left.data[0] == '{') {
			if (!take_expression(&left, &dns))
				return refuse(ret_why, "the SvcParam dohpath has a malformed expression");
			continue;
		}
		len = literal_length(left);
		if (len == 0)
			return refuse(ret_why, "the SvcParam dohpath holds a character that paths don't have");
		skip(&left, len);
	}
	if (!dns)
		return refuse(ret_why, "the SvcParam dohpath has no variable dns");
	return 0;
}

int dohpath_expand_for_post(struct span template, char ret[DOHPATH_SIZE])
{
	bool expression = false;
	size_t i, len = 0;
	int r;

	r = dohpath_check(template, NULL);
	if (r < 0)
		return r;
	for (i = 0; i < template.len; i++) {
		uint8_t c = template.data[i];

		if (c == '{' || c == '}') {
			expression = c == '{';
		} else if (!expression && c >= 0x80) {
			ret[len] = '%';
			hex_encode(span_of(&c, 1), ret + len + 1);
			len += 3;
		} else if (!expression) {
			ret[len++] = (char)c;
		}
	}
	ret[len] = '\0';
	return 0;
}
