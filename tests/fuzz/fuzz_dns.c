/* A message that is read: what is written of it can be read, is padded, and fits its asker. */
#include "fuzz.h"

#include <string.h>

#include "client-helper/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t query[LIMIT_QUERY_SIZE], own[DNS_OWN_SIZE], answer[LIMIT_MESSAGE];
	static const struct address address = {.family = AF_INET6};
	struct dns_message parsed, again;
	size_t n;

	if (dns_read(data, size, &parsed) < 0)
		return 0;
	for (int pad = 0; pad < 2; pad++) {
		n = dns_write_query(data, &parsed, pad, query);
		MUST(n <= sizeof(query) && (!pad || n % LIMIT_PADDING_BLOCK == 0));
		MUST(dns_read(query, n, &again) == 0 && again.has_opt == (pad || parsed.has_opt));
	}
	n = dns_write_error(data, parsed.question_length, DNS_SERVFAIL, size & 1, 22, "text", own);
	MUST(n <= sizeof(own) && dns_read(own, n, &again) == 0 && again.response);
	if (dns_question_names(data + DNS_HEADER_SIZE, parsed.question_length, "vpn.corp.example")) {
		n = dns_write_address(data, parsed.question_length, size & 1, &address, own);
		MUST(n <= sizeof(own) && dns_read(own, n, &again) == 0 && again.counts[1] == 1);
	}
	memcpy(answer, data, size);
	n = dns_fit_answer(answer, size, &parsed, size & 1, 512);
	MUST(n <= 512 && n <= size && dns_read(answer, n, &again) == 0);
	return 0;
}
