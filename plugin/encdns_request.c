#include "encdns_request.h"

#include "encdns_bounds.h"

#include "wire/domain.h"
#include "wire/trust_anchor.h"

typedef struct private_encdns_request_t private_encdns_request_t;

/**
 * An attribute of the request.
 */
typedef struct {
	uint16_t type;
	chunk_t value;
	u_int repeats;
	/** decoded, for ENCDNS_IP*; points into value */
	struct encdns encdns;
} attribute_t;

/**
 * Private data of an encdns_request_t object.
 */
struct private_encdns_request_t {

	/**
	 * Public interface
	 */
	encdns_request_t public;

	/**
	 * What was asked, attribute_t*
	 */
	linked_list_t *attributes;

	/**
	 * Hash algorithms
	 */
	struct digest_request algorithms;

	/**
	 * Something was repeated too often
	 */
	bool flooding;
};

static void destroy_attribute(attribute_t *attribute)
{
	chunk_free(&attribute->value);
	free(attribute);
}

/**
 * Find an attribute that was there before.
 */
static attribute_t *find(private_encdns_request_t *this, uint16_t type,
						 chunk_t value)
{
	enumerator_t *enumerator;
	attribute_t *current, *found = NULL;

	enumerator = this->attributes->create_enumerator(this->attributes);
	while (!found && enumerator->enumerate(enumerator, &current))
	{
		/* chunk_equals() has no empty chunks equal */
		if (current->type == type &&
			span_equal(span_of(current->value.ptr, current->value.len),
					   span_of(value.ptr, value.len)))
		{
			found = current;
		}
	}
	enumerator->destroy(enumerator);
	return found;
}

/**
 * Decode an attribute by its type.
 *
 * @return			NULL, or why it is malformed
 */
static const char *decode(private_encdns_request_t *this, attribute_t *attribute)
{
	struct span value = span_of(attribute->value.ptr, attribute->value.len);
	struct digest_request algorithms;
	struct trust_anchor anchor;
	struct span domain;
	const char *why = NULL;

	switch (attribute->type)
	{
		case WIRE_ENCDNS_IP4:
		case WIRE_ENCDNS_IP6:
			encdns_decode(attribute->type, WIRE_REQUEST, value,
						  &attribute->encdns, &why);
			break;
		case WIRE_ENCDNS_DIGEST_INFO:
			if (!digest_request_decode(value, &algorithms, &why))
			{
				this->algorithms = algorithms;
			}
			break;
		case WIRE_INTERNAL_DNS_DOMAIN:
			domain_decode(WIRE_REQUEST, value, &domain, &why);
			break;
		case WIRE_INTERNAL_DNSSEC_TA:
			trust_anchor_decode(WIRE_REQUEST, value, &anchor, &why);
			break;
	}
	return why;
}

/**
 * Might it be INTERNAL_ENC_DNS, whose number only the configuration knows? Other attributes of private
 * use are none of our business.
 */
static bool may_be_enc_dns(uint16_t type, chunk_t value)
{
	struct enc_dns enc_dns;

	return type >= ENC_DNS_TYPE_MIN && type <= ENC_DNS_TYPE_MAX &&
		   !enc_dns_decode(WIRE_REQUEST, span_of(value.ptr, value.len),
						   &enc_dns, NULL);
}

METHOD(encdns_request_t, add, void,
	private_encdns_request_t *this, uint16_t type, chunk_t value)
{
	attribute_t *attribute;
	const char *why;

	if ((type < WIRE_INTERNAL_DNS_DOMAIN || type > WIRE_ENCDNS_DIGEST_INFO) &&
		!may_be_enc_dns(type, value))
	{
		return;
	}
	attribute = find(this, type, value);
	if (attribute)
	{
		attribute->repeats++;
		this->flooding = this->flooding || attribute->repeats > ENCDNS_REPEATS_MAX;
		return;
	}
	if (this->attributes->get_count(this->attributes) == ENCDNS_ATTRIBUTES_MAX)
	{
		this->flooding = TRUE;
		return;
	}
	INIT(attribute,
		.type = type,
		.value = chunk_clone(value),
	);
	why = decode(this, attribute);
	if (why)
	{
		DBG1(DBG_CFG, "encdns: ignoring %s in the request: %s",
			 wire_attribute_name(type), why);
		destroy_attribute(attribute);
		return;
	}
	this->attributes->insert_last(this->attributes, attribute);
}

METHOD(encdns_request_t, has, bool,
	private_encdns_request_t *this, uint16_t type)
{
	enumerator_t *enumerator;
	attribute_t *current;
	bool found = FALSE;

	enumerator = this->attributes->create_enumerator(this->attributes);
	while (!found && enumerator->enumerate(enumerator, &current))
	{
		found = current->type == type;
	}
	enumerator->destroy(enumerator);
	return found;
}

METHOD(encdns_request_t, has_enc_dns, bool,
	private_encdns_request_t *this, uint16_t type, enum enc_dns_kind kind)
{
	enumerator_t *enumerator;
	struct enc_dns enc_dns;
	attribute_t *current;
	bool found = FALSE;

	enumerator = this->attributes->create_enumerator(this->attributes);
	while (!found && enumerator->enumerate(enumerator, &current))
	{
		found = current->type == type &&
				!enc_dns_decode(WIRE_REQUEST, span_of(current->value.ptr,
								current->value.len), &enc_dns, NULL) &&
				enc_dns.kind == kind;
	}
	enumerator->destroy(enumerator);
	return found;
}

METHOD(encdns_request_t, has_algorithm, bool,
	private_encdns_request_t *this, uint16_t algorithm)
{
	size_t i;

	for (i = 0; i < this->algorithms.n_algorithms; i++)
	{
		if (this->algorithms.algorithms[i] == algorithm)
		{
			return TRUE;
		}
	}
	return FALSE;
}

METHOD(encdns_request_t, is_flooding, bool,
	private_encdns_request_t *this)
{
	return this->flooding;
}

CALLBACK(filter_suggestions, bool,
	void *unused, enumerator_t *orig, va_list args)
{
	attribute_t *current;
	struct encdns **suggestion;
	uint16_t *type;

	VA_ARGS_VGET(args, type, suggestion);

	while (orig->enumerate(orig, &current))
	{
		if ((current->type == WIRE_ENCDNS_IP4 ||
			 current->type == WIRE_ENCDNS_IP6) && !current->encdns.empty)
		{
			*type = current->type;
			*suggestion = &current->encdns;
			return TRUE;
		}
	}
	return FALSE;
}

METHOD(encdns_request_t, create_suggestion_enumerator, enumerator_t*,
	private_encdns_request_t *this)
{
	return enumerator_create_filter(
						this->attributes->create_enumerator(this->attributes),
						filter_suggestions, NULL, NULL);
}

METHOD(encdns_request_t, destroy, void,
	private_encdns_request_t *this)
{
	this->attributes->destroy_function(this->attributes,
									   (void*)destroy_attribute);
	free(this);
}

/*
 * Described in header
 */
encdns_request_t *encdns_request_create(void)
{
	private_encdns_request_t *this;

	INIT(this,
		.public = {
			.add = _add,
			.has = _has,
			.has_enc_dns = _has_enc_dns,
			.has_algorithm = _has_algorithm,
			.is_flooding = _is_flooding,
			.create_suggestion_enumerator = _create_suggestion_enumerator,
			.destroy = _destroy,
		},
		.attributes = linked_list_create(),
	);
	return &this->public;
}
