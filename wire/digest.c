/*
 * ENCDNS_DIGEST_INFO: see digest.h.
 */
#include "digest.h"

#include "hex.h"
#include "name.h"
#include "refuse.h"

static const struct digest_algorithm algorithms[] = {
	{DIGEST_SHA2_256, "sha256", 32},
	{DIGEST_SHA2_384, "sha384", 48},
	{DIGEST_SHA2_512, "sha512", 64},
};

const struct digest_algorithm *digest_algorithm_at(size_t index)
{
	return index < sizeof(algorithms) / sizeof(algorithms[0]) ? &algorithms[index] : NULL;
}

const struct digest_algorithm *digest_algorithm_by_id(uint16_t id)
{
	const struct digest_algorithm *algorithm;
	size_t i;

	for (i = 0; (algorithm = digest_algorithm_at(i)); i++) {
		if (algorithm->id == id)
			return algorithm;
	}
	return NULL;
}

const struct digest_algorithm *digest_algorithm_by_name(struct span name)
{
	const struct digest_algorithm *algorithm;
	size_t i;

	for (i = 0; (algorithm = digest_algorithm_at(i)); i++) {
		if (span_equal(name, span_from_string(algorithm->name)))
			return algorithm;
	}
	return NULL;
}

int digest_parse(struct span text, const struct digest_algorithm **ret_algorithm,
	uint8_t ret_digest[DIGEST_LENGTH_MAX], const char **ret_why)
{
	const struct digest_algorithm *algorithm;
	struct span hex;
	size_t colon = 0;

	while (colon < text.len && text.data[colon] != ':')
		colon++;
	if (colon == text.len)
		return refuse_to_send(ret_why, "the pin has no colon, as in sha256:HEX");
	algorithm = digest_algorithm_by_name(span_of(text.data, colon));
	if (!algorithm)
		return refuse_to_send(ret_why, "the pin's algorithm is not sha256, sha384 or sha512");
	hex = span_of(text.data + colon + 1, text.len - colon - 1);
	if (hex.len != 2u * algorithm->length)
		return refuse_to_send(ret_why, "the pin's length is not that of its algorithm");
	if (hex_decode(hex, ret_digest, algorithm->length) < 0)
		return refuse_to_send(ret_why, "the pin is not in hex digits");
	*ret_algorithm = algorithm;
	return 0;
}

int digest_request_decode(struct span value, struct digest_request *ret, const char **ret_why)
{
	struct reader reader = {value};
	struct digest_request request = {0};
	uint8_t n_algorithms, adn_len;

	if (reader_u8(&reader, &n_algorithms) < 0 || reader_u8(&reader, &adn_len) < 0)
		return refuse(ret_why, "the value is shorter than 2 octets");
	if (adn_len != 0)
		return refuse(ret_why, "a request names an ADN");
	if (n_algorithms == 0)
		return refuse(ret_why, "no hash algorithm is listed");
	while (request.n_algorithms < n_algorithms) {
		if (reader_u16(&reader, &request.algorithms[request.n_algorithms]) < 0)
			return refuse(ret_why, "the hash algorithms are cut off");
		request.n_algorithms++;
	}
	if (reader.left.len > 0)
		return refuse(ret_why, "there is more than the hash algorithms");
	*ret = request;
	return 0;
}

int digest_request_encode(const struct digest_request *request, uint8_t *data, size_t size,
	size_t *ret_len, const char **ret_why)
{
	struct writer writer = writer_of(data, size);
	size_t i;

	if (request->n_algorithms == 0)
		return refuse_to_send(ret_why, "no hash algorithm is listed");
	if (request->n_algorithms > DIGEST_ALGORITHMS_MAX)
		return refuse_to_send(ret_why, "more than 255 hash algorithms are listed");
	writer_length8(&writer, request->n_algorithms);
	writer_u8(&writer, 0);
	for (i = 0; i < request->n_algorithms; i++)
		writer_u16(&writer, request->algorithms[i]);
	return writer_finish(&writer, ret_len);
}

int digest_reply_decode(struct span value, struct digest_reply *ret, const char **ret_why)
{
	struct reader reader = {value};
	struct digest_reply reply = {0};
	uint8_t n_algorithms, adn_len;
	int r;

	if (reader_u8(&reader, &n_algorithms) < 0 || reader_u8(&reader, &adn_len) < 0)
		return refuse(ret_why, "the value is shorter than 2 octets");
	if (reader_span(&reader, adn_len, &reply.adn) < 0)
		return refuse(ret_why, "the ADN is cut off");
	if (reply.adn.len > 0) {
		r = name_check(reply.adn, NAME_HOST, ret_why);
		if (r < 0)
			return r;
		reply.adn = name_without_dot(reply.adn);
	}
	if (n_algorithms != 1)
		reply.fault = "the number of hash algorithms is not 1";
	else if (reader_u16(&reader, &reply.algorithm) < 0)
		reply.fault = "the hash algorithm is cut off";
	else
		reply.digest = reader.left;
	*ret = reply;
	return 0;
}

const char *digest_reply_fault(const struct digest_reply *reply, const struct digest_request *asked)
{
	const struct digest_algorithm *algorithm;
	size_t i = 0;

	if (reply->fault)
		return reply->fault;
	algorithm = digest_algorithm_by_id(reply->algorithm);
	if (!algorithm)
		return "the digest's algorithm is unknown";
	if (asked) {
		while (i < asked->n_algorithms && asked->algorithms[i] != reply->algorithm)
			i++;
		if (i == asked->n_algorithms)
			return "the digest's algorithm was not asked for";
	}
	if (reply->digest.len != algorithm->length)
		return "the digest's length is not that of its algorithm";
	return NULL;
}

int digest_reply_encode(const struct digest_reply *reply, uint8_t *data, size_t size,
	size_t *ret_len, const char **ret_why)
{
	bool known = digest_algorithm_by_id(reply->algorithm) != NULL;
	const char *fault = known ? digest_reply_fault(reply, NULL) : reply->fault;
	struct span adn = name_without_dot(reply->adn);
	struct writer writer = writer_of(data, size);

	if (fault)
		return refuse_to_send(ret_why, fault);
	if (adn.len > 0 && name_check(adn, NAME_HOST, ret_why) < 0)
		return -EINVAL;
	writer_u8(&writer, 1);
	writer_length8(&writer, adn.len);
	writer_span(&writer, adn);
	writer_u16(&writer, reply->algorithm);
	writer_span(&writer, reply->digest);
	return writer_finish(&writer, ret_len);
}
