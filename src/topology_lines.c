/* SPDX-License-Identifier: BSD-3-Clause */
#include "topology_lines.h"

#include <stdarg.h>
#include <string.h>

void lines_begin(struct lines *lines, unsigned int indent)
{
	fputc('\n', lines->out);
	lines->at = 0;
	lines_put_blanks(lines, indent);
	lines->indent = indent;
}

void lines_put_blanks(struct lines *lines, unsigned int to)
{
	for (; lines->at < to; lines->at++)
		fputc(' ', lines->out);
}

/* What is not to be broken; a comma stays on the line, which has room for it.
 */
static void put_word(struct lines *lines, const char *word, size_t length)
{
	if (*word != ',' && lines->at > lines->indent &&
	    lines->at + length >= lines->columns) {
		lines_begin(lines, lines->indent);
		if (*word == ' ') {
			word++;
			length--;
		}
	}
	fwrite(word, 1, length, lines->out);
	lines->at += (unsigned int)length;
}

void lines_put_text(struct lines *lines, const char *text)
{
	while (*text) {
		size_t length = *text == ',' ? 1 : 1 + strcspn(text + 1, ", ");

		put_word(lines, text, length);
		text += length;
	}
}

void lines_put(struct lines *lines, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lines_put_text(lines, text);
}

void lines_put_set(struct lines *lines, const struct id_set *set)
{
	unsigned int first = 0, end;
	const char *before = " ";

	for (; id_set_next_range(set, &first, &end); first = end) {
		lines_put(lines, end - first > 1 ? "%s%u-%u" : "%s%u", before,
			  first, end - 1);
		before = ",";
	}
}
