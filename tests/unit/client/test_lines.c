/*
 * encdnsctl decode and encode, line by line.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client-helper/ctl_lines.h"
#include "client-helper/util.h"

#define ADN_HEX "646e732e636f72702e6578616d706c65" /* dns.corp.example, 16 octets */
#define SHA256_HEX "abcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd"

static char *written(line_writer_t writer, struct span line)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(writer(line, out), 0);
	fclose(out);
	assert_true(size > 0 && text[size - 1] == '\n');
	text[size - 1] = '\0';
	assert_null(strchr(text, '\n'));
	return text;
}

static void assert_line(line_writer_t writer, const char *line, const char *expected)
{
	cleanup_free char *text = written(writer, span_from_string(line));

	assert_string_equal(text, expected);
}

static void assert_error(line_writer_t writer, const char *line)
{
	cleanup_free char *text = written(writer, span_from_string(line));

	assert_int_equal(strncmp(text, writer == decode_line ? "{\"error\":\"" : "error: ", 7), 0);
}

/* What decode writes, with the message that encode wants, gives the octets again. */
static void assert_both(const char *type_and_message, const char *hex, const char *json)
{
	const char *blank = strchr(type_and_message, ' ');
	cleanup_free char *line = NULL, *object = NULL;

	assert_int_equal(format(&line, "%s %s", type_and_message, hex), 0);
	assert_line(decode_line, line, json);
	assert_int_equal(
		format(&object, "%.*s,\"message\":\"%s\"}", (int)strlen(json) - 1, json, blank + 1), 0);
	assert_line(encode_line, object, hex);
}

static void test_encdns(void **state)
{
	assert_both("27 reply",
		"000102100a1400350a140036" ADN_HEX
		"0000000200010001000403646f740002000000030002035500070010"
		"2f646e732d71756572797b3f646e737dfde800020a0b",
		"{\"type\":27,\"priority\":1,\"addresses\":[\"10.20.0.53\",\"10.20.0.54\"],"
		"\"adn\":\"dns.corp.example\",\"params\":{\"alpn\":[\"dot\"],\"port\":853,"
		"\"dohpath\":\"/dns-query{?dns}\",\"no-default-alpn\":true,\"mandatory\":[\"alpn\"],"
		"\"key65000\":\"0a0b\"}}");
	assert_both("28 reply",
		"ffff0110"
		"20010db8000000000000000000000053" ADN_HEX,
		"{\"type\":28,\"priority\":65535,\"addresses\":[\"2001:db8::53\"],"
		"\"adn\":\"dns.corp.example\"}");
	assert_both("28 request", "", "{\"type\":28,\"empty\":true}");
	/* Suggestions: each part may be absent. */
	assert_both("27 request", "00010000", "{\"type\":27,\"priority\":1}");
	assert_both("27 request",
		"000100000001000302"
		"6832",
		"{\"type\":27,\"priority\":1,\"params\":{\"alpn\":[\"h2\"]}}");
	/* Octets of an alpn id that are no ASCII. */
	assert_both("27 request",
		"00010000000100"
		"0403"
		"80c3ff",
		"{\"type\":27,\"priority\":1,\"params\":{\"alpn\":[\"\xc2\x80\xc3\x83\xc3\xbf\"]}}");
	/* As received: case and a trailing dot. */
	assert_line(decode_line,
		"27 reply 00010104"
		"01020304"
		"612e422e",
		"{\"type\":27,\"priority\":1,\"addresses\":[\"1.2.3.4\"],\"adn\":\"a.B.\"}");
	assert_error(decode_line, "27 reply");
	assert_error(decode_line, "27 reply 00000104"
							  "01020304"
							  "612e622e");
	assert_error(decode_line, "27 reply 000101ff"
							  "01020304");
}

static void test_digest(void **state)
{
	assert_both("29 request",
		"0200"
		"00020005",
		"{\"type\":29,\"algorithms\":[\"sha256\",5]}");
	assert_both("29 reply",
		"0100"
		"0002" SHA256_HEX,
		"{\"type\":29,\"adn\":\"\",\"algorithm\":\"sha256\",\"digest\":\"" SHA256_HEX "\"}");
	assert_both("29 reply",
		"0110" ADN_HEX "0005"
		"ff",
		"{\"type\":29,\"adn\":\"dns.corp.example\",\"algorithm\":5,\"digest\":\"ff\"}");
	assert_error(decode_line, "29 request");
	assert_error(decode_line, "29 request 0000");
	assert_error(decode_line, "29 request 010161"
							  "0002");
	assert_error(decode_line, "29 request 0200"
							  "0002");
	assert_error(decode_line, "29 reply 0100"
							  "0002"
							  "ff");
	assert_error(decode_line, "29 reply 0200"
							  "00020005" SHA256_HEX);
}

static void test_domain_and_anchor(void **state)
{
	assert_both("25 reply", "636f7270", "{\"type\":25,\"domain\":\"corp\"}");
	assert_both("25 request", "", "{\"type\":25,\"empty\":true}");
	assert_line(decode_line, "25 request 432e", "{\"type\":25,\"domain\":\"C.\"}");
	assert_line(decode_line,
		"26 reply 3039080"
		"1"
		"0123456789abcdef0123456789abcdef01234567",
		"{\"type\":26,\"key-tag\":12345,\"algorithm\":8,\"digest-type\":1,"
		"\"digest\":\"0123456789abcdef0123456789abcdef01234567\"}");
	/* In hex digits, as they are sent. */
	assert_both("26 request",
		"30390801"
		"3030303030303030303030303030303030303030"
		"30303030303030303030303030303030303041"
		"42",
		"{\"type\":26,\"key-tag\":12345,\"algorithm\":8,\"digest-type\":1,"
		"\"digest\":\"00000000000000000000000000000000000000ab\"}");
	assert_both("26 request", "", "{\"type\":26,\"empty\":true}");
	assert_error(decode_line, "25 reply");
	assert_error(decode_line, "25 reply 612e2e62");
	assert_error(decode_line, "26 reply");
	assert_error(decode_line, "26 reply 30390803aa");
}

static void test_other_types(void **state)
{
	assert_both("0 request", "", "{\"type\":0,\"empty\":true}");
	assert_both("32767 reply", "", "{\"type\":32767,\"empty\":true}");
	assert_error(decode_line, "3 reply 01020304");
}

static void test_bad_lines(void **state)
{
	static const char *const decoded[] = {"", " ", "x", "27", "27 ", "27 answer", "-1 request",
		"32768 request", "4294967323 request", "27x request", "27 request 0", "27 request 0g",
		"27 request 00010000 00", "{\"type\":27}"};
	static const char *const encoded[] = {"", "{", "[]", "27", "null", "{}", "{\"type\":27}",
		"{\"type\":27,\"message\":\"answer\",\"empty\":true}",
		"{\"type\":27,\"message\":\"reply\",\"empty\":true}",
		"{\"type\":27,\"message\":\"request\",\"empty\":false}",
		"{\"type\":27,\"message\":\"request\",\"empty\":true,\"priority\":1}",
		"{\"type\":27,\"message\":\"request\",\"priority\":0}",
		"{\"type\":27,\"message\":\"request\",\"priority\":65537}",
		"{\"type\":27,\"message\":\"request\",\"priority\":\"1\"}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"adnn\":\"a.b\"}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"adn\":7}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"addresses\":[\"::1\"]}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"addresses\":[[]]}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"params\":{\"ipv4hint\":\"aa\"}}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"params\":{\"key4\":\"aa\"}}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"params\":{\"key65536\":\"aa\"}}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"params\":{\"key9\":\"a\"}}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"params\":{\"alpn\":[\"\xc4\x80\"]}}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"params\":{\"alpn\":[\"\xc3x\"]}}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"params\":{\"dohpath\":\"/\xc3{dns}\"}}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"params\":{\"mandatory\":[7]}}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1} {}",
		"{\"type\":27,\"message\":\"request\",\"priority\":1}x",
		"{\"type\":29,\"message\":\"request\",\"algorithms\":[\"md5\"]}",
		"{\"type\":29,\"message\":\"request\",\"empty\":true}",
		"{\"type\":25,\"message\":\"request\",\"domain\":\"\"}",
		"{\"type\":26,\"message\":\"reply\",\"key-tag\":1,\"algorithm\":256,\"digest-type\":1}",
		"{\"type\":3,\"message\":\"reply\"}",
		"{\"type\":32768,\"message\":\"reply\",\"empty\":true}"};
	cleanup_free char *nul = NULL;

	for (size_t i = 0; i < ELEMENTS(decoded); i++)
		assert_error(decode_line, decoded[i]);
	for (size_t i = 0; i < ELEMENTS(encoded); i++)
		assert_error(encode_line, encoded[i]);
	nul = written(decode_line, span_of("27 request\0", 11));
	assert_int_equal(strncmp(nul, "{\"error\":", 9), 0);
}

/* Any case of digits, any blanks, carriage returns. */
static void test_lenient_lines(void **state)
{
	assert_line(decode_line, " 25\trequest  4A \r", "{\"type\":25,\"domain\":\"J\"}");
	assert_line(encode_line, "{\"message\":\"reply\",\"domain\":\"J.\",\"type\":25}\r", "4a");
	/* SvcParams in any order are sent in theirs. */
	assert_line(encode_line,
		"{\"type\":27,\"message\":\"request\",\"priority\":1,\"params\":{\"key9\":\"\","
		"\"key5\":\"AA\",\"port\":1,\"mandatory\":[\"port\",\"alpn\"],\"alpn\":[\"h2\"]}}",
		"00010000"
		"0000000400010003"
		"00010003026832"
		"000300020001"
		"00050001aa"
		"00090000");
}

/* Through a pipe, in pieces that are no lines; an error ends nothing, nor does a line without end.
 */
static void test_pump(void **state)
{
	cleanup_free char *text = NULL;
	char *long_line = malloc(3 * LINE_SIZE);
	size_t size;
	FILE *in = tmpfile(), *out = open_memstream(&text, &size);

	assert_non_null(long_line);
	assert_non_null(in);
	assert_non_null(out);
	memset(long_line, '0', 3 * LINE_SIZE);
	for (int i = 0; i < 30000; i++)
		fputs(i % 2 ? "28 request\n" : "bad\n", in);
	fwrite(long_line, 1, 3 * LINE_SIZE, in);
	fputs("\n\n27 request", in);
	free(long_line);
	rewind(in);
	assert_int_equal(lines_run(fileno(in), out, decode_line, decode_error), 0);
	fclose(out);
	fclose(in);
	size = 0;
	for (char *line = text; *line; line = strchr(line, '\n') + 1)
		size++;
	assert_int_equal(size, 30003);
	assert_non_null(
		strstr(text, "{\"error\":\"the line is too long\"}\n{\"error\":\"the line does"));
	assert_non_null(strstr(text, "}\n{\"type\":27,\"empty\":true}\n"));
}

/* Who asks line by line has each answer before the next question. */
static void test_dialogue(void **state)
{
	int ask[2], reply[2];
	char answer[64] = "";
	pid_t pid;

	assert_int_equal(pipe(ask), 0);
	assert_int_equal(pipe(reply), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ask[1]);
		_exit(-lines_run(ask[0], fdopen(reply[1], "w"), encode_line, encode_error));
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(write(ask[1], "{}\n", 3), 3);
		assert_true(read(reply[0], answer, sizeof(answer) - 1) > 7);
		assert_int_equal(strncmp(answer, "error: ", 7), 0);
	}
	close(ask[1]);
	assert_int_equal(waitpid(pid, &(int){0}, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encdns),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_domain_and_anchor),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_lenient_lines),
		cmocka_unit_test(test_pump),
		cmocka_unit_test(test_dialogue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
