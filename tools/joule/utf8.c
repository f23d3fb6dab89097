// SPDX-License-Identifier: MIT
#include "utf8.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Length of the valid sequence at s, 0 where there is none. */
static size_t sequence(const unsigned char *s)
{
	uint32_t v;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	n = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 :
	    s[0] >= 0xc2 && s[0] < 0xe0					  ? 2 : 0;
	if (!n)
		return 0;
	v = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && v < 0x800) || (n == 4 && v < 0x10000) || v > 0x10ffff ||
	    (v >= 0xd800 && v < 0xe000))
		return 0;
	return n;
}

char *utf8_clean(const char *text)
{
	/* A replacement takes three bytes for one. */
	char *out = malloc(3 * strlen(text) + 1), *p = out;

	while (out && *text) {
		size_t n = sequence((const unsigned char *)text);

		memcpy(p, n ? text : "\xef\xbf\xbd", n ? n : 3);
		p += n ? n : 3;
		text += n ? n : 1;
	}
	if (out)
		*p = 0;
	return out;
}

json_t *utf8_json(const char *text)
{
	char *clean = text ? utf8_clean(text) : NULL;
	json_t *json = text ? (clean ? json_string_nocheck(clean) : NULL) : json_null();

	free(clean);
	return json;
}

json_t *json_finite(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

void utf8_one_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}
