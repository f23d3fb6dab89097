// SPDX-License-Identifier: MIT
/* What is valid stays; each byte of what is not becomes U+FFFD. */
#include <string.h>

#include "../unit/test.h"
#include "../../tools/joule/utf8.h"

#define BAD "\xef\xbf\xbd"

static void clean(const char *text, const char *want)
{
	char *got = utf8_clean(text);
	json_t *json = utf8_json(text);

	CHECK(got && !strcmp(got, want));
	CHECK(json && !strcmp(json_string_value(json), want));
	json_decref(json);
	free(got);
}

int main(void)
{
	char line[] = "a\nb\033[2Jc\x7f\xc3\xa4";

	clean("", "");
	clean("conv1/relu", "conv1/relu");
	clean("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
	clean("\xff" "a\x80", BAD "a" BAD);
	clean("\xc3", BAD);                          /* cut short */
	clean("\xe2\x82" "x", BAD BAD "x");
	clean("\xc0\xaf", BAD BAD);                  /* not the shortest form */
	clean("\xe0\x80\xaf", BAD BAD BAD);
	clean("\xed\xa0\x80", BAD BAD BAD);          /* a surrogate */
	clean("\xf4\x90\x80\x80", BAD BAD BAD BAD);  /* beyond U+10FFFF */
	clean("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
	utf8_one_line(line);
	CHECK(!strcmp(line, "a?b?[2Jc?\xc3\xa4"));
	return 0;
}
